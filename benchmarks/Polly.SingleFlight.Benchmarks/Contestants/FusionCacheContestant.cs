using Polly.SingleFlight.Benchmarks.Scenarios;
using ZiggyCreatures.Caching.Fusion;

namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>
/// FusionCache, whose callers of a key take turns at a lock and look into the cache once they have it: what they share is
/// the stored result. If nothing is stored, every caller runs the factory, one after the other.
/// </summary>
internal sealed class FusionCacheContestant : Contestant
{
    private readonly FusionCache _cache;
    private readonly FusionCacheEntryOptions _options;

    private FusionCacheContestant(string name, FusionCache cache, FusionCacheEntryOptions options)
        : base(name) => (_cache, _options) = (cache, options);

    /// <summary>A call that is alone always runs the factory, and concurrent calls share nothing.</summary>
    public static FusionCacheContestant StoringNothing() => new(
        "FusionCache storing nothing, no pipeline",
        new FusionCache(new FusionCacheOptions()),
        new FusionCacheEntryOptions(TimeSpan.Zero).SetSkipMemoryCache());

    /// <summary>Concurrent calls share the result, and so do later ones until it is forgotten.</summary>
    public static FusionCacheContestant Storing() => new(
        "FusionCache storing, no pipeline",
        new FusionCache(new FusionCacheOptions()),
        new FusionCacheEntryOptions(TimeSpan.FromMinutes(10)));

    public override ValueTask<string> ExecuteAsync(string key, ResilienceContext? context, Work work, CancellationToken token) =>
        _cache.GetOrSetAsync<string>(key, (_, shared) => Work.Factory(work, shared).AsTask(), options: _options, token: token);

    public override void Forget(string key) => _cache.Remove(key, _options);
}
