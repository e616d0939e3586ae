using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
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

    public static async Task HybridCacheSerializesEntries()
    {
        var pipeline = new ResiliencePipelineBuilder<string> { Name = "smoke" }
            .AddCache(new JsonCache(), new CacheStrategyOptions<string>()).AddSingleFlight().Build();
        await CalledOnce(pipeline);
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

    [JsonSerializable(typeof(CacheEntry<string>))]
    private sealed partial class EntryJson : JsonSerializerContext;

    /// <summary>Keeps entries as the application's own generated code writes them.</summary>
    private sealed class JsonCache : HybridCache
    {
        private readonly ConcurrentDictionary<string, byte[]> _entries = new();

        public override ValueTask<T> GetOrCreateAsync<TState, T>(
            string key,
            TState state,
            Func<TState, CancellationToken, ValueTask<T>> factory,
            HybridCacheEntryOptions? options = null,
            IEnumerable<string>? tags = null,
            CancellationToken cancellationToken = default) => new(
                _entries.TryGetValue(key, out var bytes) ? (T)JsonSerializer.Deserialize(bytes, typeof(T), EntryJson.Default)! : default!);

        public override ValueTask SetAsync<T>(
            string key,
            T value,
            HybridCacheEntryOptions? options = null,
            IEnumerable<string>? tags = null,
            CancellationToken cancellationToken = default)
        {
            _entries[key] = JsonSerializer.SerializeToUtf8Bytes(value, typeof(T), EntryJson.Default);
            return default;
        }

        public override ValueTask RemoveAsync(string key, CancellationToken cancellationToken = default)
        {
            _entries.Clear();
            return default;
        }

        public override ValueTask RemoveByTagAsync(string tag, CancellationToken cancellationToken = default) => default;
    }
}
