using Microsoft.Extensions.Caching.StackExchangeRedis;
using StackExchange.Redis;
using ZiggyCreatures.Caching.Fusion;
using ZiggyCreatures.Caching.Fusion.Locking.Distributed.Redis;
using ZiggyCreatures.Caching.Fusion.Serialization.SystemTextJson;

namespace Polly.SingleFlight.Benchmarks.Distributed;

/// <summary>A node with FusionCache over Redis, and its distributed lock there.</summary>
internal sealed class FusionCacheNode : Node
{
    private readonly FusionCache _cache;

    public FusionCacheNode(ConnectionMultiplexer connection, string scope)
        : base(connection)
    {
        Task<IConnectionMultiplexer> Connect() => Task.FromResult<IConnectionMultiplexer>(connection);
        _cache = new FusionCache(new FusionCacheOptions
        {
            CacheKeyPrefix = scope + ":",
            DefaultEntryOptions = new FusionCacheEntryOptions(TimeSpan.FromSeconds(30)),
        });
        _cache.SetupDistributedCache(new RedisCache(new RedisCacheOptions { ConnectionMultiplexerFactory = Connect }), new FusionCacheSystemTextJsonSerializer());
        _cache.SetupDistributedLocker(new RedisDistributedLocker(new RedisDistributedLockerOptions { ConnectionMultiplexerFactory = Connect }));
    }

    public override async Task<string> CallAsync(string key, Func<Task<string>> work) =>
        await _cache.GetOrSetAsync<string>(key, async (_, _) => await work().ConfigureAwait(false)).ConfigureAwait(false);

    public override async ValueTask DisposeAsync()
    {
        _cache.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }
}
