namespace Polly.SingleFlight.Caching.Tests.Infrastructure;

/// <summary>A hybrid cache that can be made to throw, which the libraries' own rarely do.</summary>
internal sealed class HookedHybridCache(HybridCache cache) : HybridCache
{
    /// <summary>Awaited before a lookup.</summary>
    public Func<Task>? LookingUp { get; set; }

    /// <summary>Awaited before an entry is stored.</summary>
    public Func<Task>? Storing { get; set; }

    public override async ValueTask<T> GetOrCreateAsync<TState, T>(
        string key,
        TState state,
        Func<TState, CancellationToken, ValueTask<T>> factory,
        HybridCacheEntryOptions? options = null,
        IEnumerable<string>? tags = null,
        CancellationToken cancellationToken = default)
    {
        // A lookup makes nothing.
        Assert.True(options!.Flags!.Value.HasFlag(HybridCacheEntryFlags.DisableUnderlyingData));
        if (LookingUp is { } hook)
        {
            await hook();
        }

        return await cache.GetOrCreateAsync(key, state, factory, options, tags, cancellationToken);
    }

    public override async ValueTask SetAsync<T>(
        string key, T value, HybridCacheEntryOptions? options = null, IEnumerable<string>? tags = null, CancellationToken cancellationToken = default)
    {
        if (Storing is { } hook)
        {
            await hook();
        }

        await cache.SetAsync(key, value, options, tags, cancellationToken);
    }

    public override ValueTask RemoveAsync(string key, CancellationToken cancellationToken = default) => cache.RemoveAsync(key, cancellationToken);

    public override ValueTask RemoveByTagAsync(string tag, CancellationToken cancellationToken = default) => cache.RemoveByTagAsync(tag, cancellationToken);
}
