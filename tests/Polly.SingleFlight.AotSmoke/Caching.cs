using System.Buffers;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Caching;

namespace Polly.SingleFlight.AotSmoke;

/// <summary>The cache outside the flight.</summary>
internal static partial class Caching
{
    public static async Task SecondCallIsAHit()
    {
        using var memory = new MemoryCache(new MemoryCacheOptions());
        var options = new CacheStrategyOptions<string>();
        var pipeline = new ResiliencePipelineBuilder<string>().AddCache(memory, options).AddSingleFlight().Build();
        await CalledOnce(pipeline);
    }

    public static async Task ValueTypesAndDerivedTypesAreCached()
    {
        using var memory = new MemoryCache(new MemoryCacheOptions());
        var pipeline = new ResiliencePipelineBuilder<object>().AddCache(memory, new CacheStrategyOptions<object>()).AddSingleFlight().Build();
        var calls = 0;
        for (var i = 0; i < 3; i++)
        {
            Expect.Equal(1, await pipeline.ExecuteSingleFlightAsync(("tenant", 1), _ => new ValueTask<int>(++calls)), "number");
            Expect.Equal("text", await pipeline.ExecuteSingleFlightAsync(("tenant", 1), _ => new ValueTask<string>("text")), "text");
        }
    }

    public static async Task RefreshAheadRunsInTheBackground()
    {
        using var memory = new MemoryCache(new MemoryCacheOptions());
        var refreshed = Expect.Gate();
        var pipeline = new ResiliencePipelineBuilder<int>().AddCache(memory, new CacheStrategyOptions<int>
        {
            LifetimeGenerator = static args => new(new CacheLifetime(TimeSpan.FromHours(1), args.Result == 1 ? TimeSpan.Zero : null)),
            OnRefresh = args =>
            {
                refreshed.TrySetResult();
                return default;
            },
        }).AddSingleFlight().Build();
        var calls = 0;
        Expect.Equal(1, await CallAsync(), "first");
        Expect.Equal(1, await CallAsync(), "hit");
        await refreshed.Task;
        Expect.Equal(2, await CallAsync(), "refreshed");

        ValueTask<int> CallAsync() => pipeline.ExecuteSingleFlightAsync("key", _ => new ValueTask<int>(++calls));
    }

    /// <summary>Over a distributed cache, which a second node reads: the application's generated code writes the result.</summary>
    public static async Task HybridCacheSerializesEntries()
    {
        var bytes = new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions()));
        for (var node = 0; node < 2; node++)
        {
            using var services = new ServiceCollection()
                .AddSingleton<IDistributedCache>(new Distributed(bytes))
                .AddSingleton<IHybridCacheSerializer<Token>, TokenSerializer>()
                .AddHybridCache().Services
                .AddSingleFlightCacheSerializers()
                .BuildServiceProvider();
            var pipeline = new ResiliencePipelineBuilder<Token> { Name = "smoke" }
                .AddCache(services.GetRequiredService<HybridCache>(), new CacheStrategyOptions<Token>()).AddSingleFlight().Build();
            for (var i = 0; i < 3; i++)
            {
                var name = $"node {node}, call {i}";
                var token = await pipeline.ExecuteSingleFlightAsync(("tenant", 1), _ => new ValueTask<Token>(new Token(name)));
                Expect.Equal("node 0, call 0", token.Text, name);
            }
        }
    }

    public static Task InvalidOptionsAreNamed()
    {
        using var memory = new MemoryCache(new MemoryCacheOptions());
        Refused(nameof(CacheStrategyOptions<>.KeyGenerator), new() { KeyGenerator = null! });
        Refused(nameof(CacheStrategyOptions<>.Lifetime), new() { Lifetime = TimeSpan.Zero });
        Refused(nameof(CacheStrategyOptions<>.StaleOnError), new() { StaleOnError = TimeSpan.FromSeconds(-1) });
        return Task.CompletedTask;

        void Refused(string option, CacheStrategyOptions<string> options)
        {
            var refusal = Expect.Throws<ValidationException>(() => new ResiliencePipelineBuilder<string>().AddCache(memory, options));
            Expect.Contains(option, refusal.Message);
        }
    }

    private static async Task CalledOnce(ResiliencePipeline<string> pipeline)
    {
        var calls = 0;
        for (var i = 0; i < 3; i++)
        {
            Expect.Equal("result", await pipeline.ExecuteSingleFlightAsync("key", _ =>
            {
                calls++;
                return new ValueTask<string>("result");
            }), "result");
        }

        Expect.Equal(1, calls, "calls");
    }

    private sealed record Token(string Text);

    [JsonSerializable(typeof(Token))]
    private sealed partial class TokenJson : JsonSerializerContext;

    private sealed class TokenSerializer : IHybridCacheSerializer<Token>
    {
        public Token Deserialize(ReadOnlySequence<byte> source)
        {
            var reader = new Utf8JsonReader(source);
            return JsonSerializer.Deserialize(ref reader, TokenJson.Default.Token)!;
        }

        public void Serialize(Token value, IBufferWriter<byte> target)
        {
            using var writer = new Utf8JsonWriter(target);
            JsonSerializer.Serialize(writer, value, TokenJson.Default.Token);
        }
    }

    /// <summary>Not Microsoft's own, which its hybrid cache passes over because it is memory as well.</summary>
    private sealed class Distributed(MemoryDistributedCache cache) : IDistributedCache
    {
        public byte[]? Get(string key) => cache.Get(key);

        public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => cache.GetAsync(key, token);

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => cache.Set(key, value, options);

        public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default) =>
            cache.SetAsync(key, value, options, token);

        public void Refresh(string key) => cache.Refresh(key);

        public Task RefreshAsync(string key, CancellationToken token = default) => cache.RefreshAsync(key, token);

        public void Remove(string key) => cache.Remove(key);

        public Task RemoveAsync(string key, CancellationToken token = default) => cache.RemoveAsync(key, token);
    }
}
