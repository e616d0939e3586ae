using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;
using Polly.SingleFlight.Caching;
using ZiggyCreatures.Caching.Fusion;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>A hit of the cache strategy beside a hit of the same cache used bare.</summary>
internal sealed class CacheHitSection(Lineup lineup) : Section("cache-hit", lineup)
{
    private const string Key = "token/contoso/europe";

    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(1.5);

    public override async Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## A cache hit");
        output.WriteLine();
        output.WriteLine("Bare is `GetOrCreateAsync` of the cache. The strategy's caller rents a context, sets its key, executes and returns it; a strategy that does nothing is the floor");
        output.WriteLine("of that. An immutable result is a string, a mutable one an object with a property, which Microsoft's cache deserializes for every hit.");
        output.WriteLine();
        var table = new MarkdownTable("cache", "bare", "floor", "strategy", "ratio to bare", "bytes over the floor and the bare hit");
        using var memory = new MemoryCache(new MemoryCacheOptions());
        await AddRowAsync(
            table,
            "MemoryCache",
            "value",
            builder => builder.AddCache(memory, new CacheStrategyOptions<string>()),
            (_, count) => LoopAsync(count, () => new ValueTask<string?>(memory.GetOrCreateAsync(Key, static _ => Task.FromResult("value")))),
            Goal.MemoryHitRatio).ConfigureAwait(false);
        await using var microsoft = Services(static services => services.AddSingleFlightCacheSerializers().AddHybridCache());
        await using var fusion = Services(static services => services.AddFusionCache().AsHybridCache());
        foreach (var (name, cache) in ((string, HybridCache)[])
            [("HybridCache", microsoft.GetRequiredService<HybridCache>()), ("FusionCache", fusion.GetRequiredService<HybridCache>())])
        {
            await AddHybridRowAsync(table, name + ", immutable", cache, "value").ConfigureAwait(false);
            await AddHybridRowAsync(table, name + ", mutable", cache, new Mutable { Text = "value" }).ConfigureAwait(false);
        }

        table.WriteTo(output);
    }

    private static ServiceProvider Services(Action<IServiceCollection> configure)
    {
        var services = new ServiceCollection();
        configure(services);
        return services.BuildServiceProvider();
    }

    private static Task AddHybridRowAsync<T>(MarkdownTable table, string name, HybridCache cache, T value)
        where T : class =>
        AddRowAsync(
            table,
            name,
            value,
            builder => builder.AddCache(cache, new CacheStrategyOptions<T>()),
            (factory, count) => LoopAsync(count, () => cache.GetOrCreateAsync(KeyOf<T>.Bare, factory, static (factory, _) => new ValueTask<T?>(factory))),
            Goal.HybridHitRatio);

    private static async Task AddRowAsync<T>(
        MarkdownTable table,
        string name,
        T value,
        Func<ResiliencePipelineBuilder<T>, ResiliencePipelineBuilder<T>> addCache,
        Func<Task<T?>, int, Task> bareLoop,
        Goal goal)
        where T : class
    {
        var made = Task.FromResult<T?>(value);
        var pipeline = addCache(new ResiliencePipelineBuilder<T>()).AddSingleFlight().Build();
        var empty = new ResiliencePipelineBuilder<T>().AddStrategy(static _ => new EmptyStrategy(), new EmptyStrategyOptions()).Build();
        CallLoop bare = new("bare", count => bareLoop(made, count));
        CallLoop floor = new("floor", count => ExecuteAsync(empty, value, count));
        CallLoop hit = new("strategy", count => ExecuteAsync(pipeline, value, count));
        var figures = await CallLoop.MeasureAsync([bare, floor, hit], floor, Completion.Synchronous, s_duration).ConfigureAwait(false);
        var isMemory = goal == Goal.MemoryHitRatio;
        var bytes = figures[2].BytesOverFloor - (isMemory ? 0 : figures[0].BytesOverFloor);
        table.Add(
            name,
            Invariant($"{figures[0].Nanoseconds:0} ns"),
            Invariant($"{figures[1].Nanoseconds:0} ns"),
            Invariant($"{figures[2].Nanoseconds:0} ns"),
            goal.Judge(figures[2].Ratio / figures[0].Ratio),
            isMemory ? Goal.CacheHitBytes.Judge(bytes) : Invariant($"{bytes:+0;-0;0} B"));
    }

    private static async Task LoopAsync<T>(int count, Func<ValueTask<T>> hit)
    {
        for (var i = 0; i < count; i++)
        {
            await hit().ConfigureAwait(false);
        }
    }

    private static async Task ExecuteAsync<T>(ResiliencePipeline<T> pipeline, T value, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var context = ResilienceContextPool.Shared.Get();
            context.SetSingleFlightKey(Key);
            await pipeline.ExecuteAsync(static (_, value) => new ValueTask<T>(value), context, value).ConfigureAwait(false);
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>FusionCache has one type for a key.</summary>
    private static class KeyOf<T>
    {
        public static readonly string Bare = $"{Key}/{typeof(T).Name}";
    }

    internal sealed class Mutable
    {
        public string? Text { get; set; }
    }
}
