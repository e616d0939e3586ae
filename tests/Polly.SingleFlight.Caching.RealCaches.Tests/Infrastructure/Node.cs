using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.StackExchangeRedis;
using Microsoft.Extensions.Internal;
using Microsoft.Extensions.Options;
using ZiggyCreatures.Caching.Fusion;
using ZiggyCreatures.Caching.Fusion.Backplane.StackExchangeRedis;
using ZiggyCreatures.Caching.Fusion.Serialization.SystemTextJson;

namespace Polly.SingleFlight.Caching.RealCaches.Tests.Infrastructure;

/// <summary>One process, as far as caches are concerned: a cache of its own, over a distributed cache that it shares with the other nodes of the test.</summary>
internal sealed class Node : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public Node(CacheKind kind, RedisServer redis, string name, TimeProvider clock, Action<IServiceCollection>? configure, bool withSerializers)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        if (kind is CacheKind.HybridRedis or CacheKind.FusionRedis)
        {
            // Not disposed, since that would close the connection.
            Distributed = new HookedDistributedCache(new RedisCache(Options.Create(new RedisCacheOptions
            {
                ConnectionMultiplexerFactory = () => Task.FromResult(redis.Connection),
                InstanceName = name,
            })));
            services.AddSingleton<IDistributedCache>(Distributed);
        }

        configure?.Invoke(services);
        switch (kind)
        {
            case CacheKind.Memory:
                services.AddSingleton<IMemoryCache>(new MemoryCache(new MemoryCacheOptions { Clock = new CacheClock(clock) }));
                break;
            case CacheKind.Hybrid or CacheKind.HybridRedis:
                services.AddHybridCache();
                if (withSerializers)
                {
                    services.AddSingleFlightCacheSerializers();
                }

                break;
            case CacheKind.Fusion:
                services.AddFusionCache().AsHybridCache();
                break;
            default:
                services.AddFusionCache()
                    .WithOptions(options => options.BackplaneChannelPrefix = name)
                    .WithDefaultEntryOptions(options =>
                    {
                        options.IsFailSafeEnabled = true;
                        options.FailSafeMaxDuration = TimeSpan.FromHours(1);
                    })
                    .WithSerializer(new FusionCacheSystemTextJsonSerializer())
                    .WithDistributedCache(Distributed!)
                    .WithBackplane(new RedisBackplane(new RedisBackplaneOptions { Configuration = redis.Configuration }))
                    .AsHybridCache();
                break;
        }

        _services = services.BuildServiceProvider();
        if (kind == CacheKind.Memory)
        {
            Memory = _services.GetRequiredService<IMemoryCache>();
        }
        else
        {
            Hybrid = _services.GetRequiredService<HybridCache>();
        }
    }

    /// <summary>The cache, where it is a memory cache.</summary>
    public IMemoryCache? Memory { get; }

    /// <summary>The cache, where it is a hybrid cache.</summary>
    public HybridCache? Hybrid { get; }

    /// <summary>What is behind the cache, if anything is.</summary>
    public HookedDistributedCache? Distributed { get; }

    public ResiliencePipelineBuilder<T> Add<T>(ResiliencePipelineBuilder<T> builder, CacheStrategyOptions<T> options) =>
        Memory is null ? builder.AddCache(Hybrid!, options) : builder.AddCache(Memory, options);

    public ResiliencePipelineBuilder Add(ResiliencePipelineBuilder builder, CacheStrategyOptions<object> options) =>
        Memory is null ? builder.AddCache(Hybrid!, options) : builder.AddCache(Memory, options);

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private sealed class CacheClock(TimeProvider clock) : ISystemClock
    {
        public DateTimeOffset UtcNow => clock.GetUtcNow();
    }
}
