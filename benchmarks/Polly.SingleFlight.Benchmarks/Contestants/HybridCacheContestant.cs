using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>
/// Microsoft's HybridCache as a coalescer and nothing else: with both of its caches off, concurrent calls of a key share one
/// run of the factory, and a call that is alone always runs it. If the first caller's token can be cancelled, the factory is
/// queued to the thread pool, even where it completes synchronously.
/// </summary>
internal sealed class HybridCacheContestant() : Contestant("HybridCache, no pipeline")
{
    private static readonly HybridCacheEntryOptions s_storeNothing = new()
    {
        Flags = HybridCacheEntryFlags.DisableLocalCache | HybridCacheEntryFlags.DisableDistributedCache,
    };

    private readonly HybridCache _cache = CreateCache();

    public override ValueTask<string> ExecuteAsync(string key, ResilienceContext? context, Work work, CancellationToken token) =>
        _cache.GetOrCreateAsync(key, work, Work.Factory, s_storeNothing, cancellationToken: token);

    private static HybridCache CreateCache()
    {
        var services = new ServiceCollection();
        services.AddHybridCache();
        return services.BuildServiceProvider().GetRequiredService<HybridCache>();
    }
}
