using Microsoft.Extensions.Caching.Memory;
using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;
using Polly.SingleFlight.Caching;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>A hit of the cache strategy beside a hit of the memory cache that is under it.</summary>
internal sealed class CacheHitSection(Lineup lineup) : Section("cache-hit", lineup)
{
    private const string Key = "token/contoso/europe";

    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(1.5);

    public override async Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## A cache hit");
        output.WriteLine();
        output.WriteLine("`GetOrCreateAsync` is the memory cache used bare. The others rent a context, set its key, execute and return it: the floor through");
        output.WriteLine("an empty strategy, the cache in front of single flight. A cell: time, ratio to the bare cache, bytes over the floor.");
        output.WriteLine();
        using var cache = new MemoryCache(new MemoryCacheOptions());
        var pipeline = new ResiliencePipelineBuilder<string>().AddCache(cache, new CacheStrategyOptions<string>()).AddSingleFlight().Build();
        var floor = new ResiliencePipelineBuilder<string>().AddStrategy(static _ => new EmptyStrategy(), new EmptyStrategyOptions()).Build();
        CallLoop bare = new("GetOrCreateAsync", count => GetOrCreateAsync(cache, count));
        CallLoop empty = new("floor", count => ExecuteAsync(floor, count));
        CallLoop hit = new("cache strategy", count => ExecuteAsync(pipeline, count));
        var figures = await CallLoop.MeasureAsync([bare, empty, hit], empty, Completion.Synchronous, s_duration).ConfigureAwait(false);
        var table = new MarkdownTable("hit", "time", "ratio to the bare cache", "bytes over the floor");
        foreach (var row in figures)
        {
            table.Add(
                row.Name,
                Invariant($"{row.Nanoseconds:0} ns"),
                Invariant($"{row.Ratio / figures[0].Ratio:0.00}x"),
                row.Name == hit.Name ? Goal.CacheHitBytes.Judge(row.BytesOverFloor) : Invariant($"{row.BytesOverFloor:+0;-0;0} B"));
        }

        table.WriteTo(output);
    }

    private static async Task GetOrCreateAsync(MemoryCache cache, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await cache.GetOrCreateAsync(Key, static _ => Task.FromResult("value")).ConfigureAwait(false);
        }
    }

    private static async Task ExecuteAsync(ResiliencePipeline<string> pipeline, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var context = ResilienceContextPool.Shared.Get();
            context.SetSingleFlightKey(Key);
            await pipeline.ExecuteAsync(static _ => new ValueTask<string>("value"), context).ConfigureAwait(false);
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
