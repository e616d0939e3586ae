using Microsoft.Extensions.Caching.Hybrid;

namespace Polly.SingleFlight.Caching.Storage;

/// <summary>A <see cref="HybridCache"/>, with whatever is behind it. Keys are strings, and entries may be serialized.</summary>
internal sealed class HybridStore(HybridCache cache, string scope) : CacheStore
{
    private static readonly HybridCacheEntryOptions s_lookUp = new()
    {
        Flags = HybridCacheEntryFlags.DisableUnderlyingData
            | HybridCacheEntryFlags.DisableLocalCacheWrite
            | HybridCacheEntryFlags.DisableDistributedCacheWrite,
    };

    public override object StorageKey<TResult>(object key) => key is string text
        ? $"{scope}|{typeof(TResult)}|{text}"
        : throw new InvalidOperationException(
            $"A HybridCache takes strings for keys, and the key of this execution is a {key.GetType().Name}. Set a string with " +
            "SetSingleFlightKey, or give CacheStrategyOptions a KeyGenerator that makes a string of it.");

    public override ValueTask<CacheEntry<TResult>?> FindAsync<TResult>(object storageKey, CancellationToken cancellationToken) =>
        cache.GetOrCreateAsync<CacheEntry<TResult>?>(
            (string)storageKey, static _ => new((CacheEntry<TResult>?)null), s_lookUp, cancellationToken: cancellationToken);

    public override ValueTask KeepAsync<TResult>(object storageKey, CacheEntry<TResult> entry, TimeSpan time, CancellationToken cancellationToken) =>
        cache.SetAsync(
            (string)storageKey, entry, new HybridCacheEntryOptions { Expiration = time, LocalCacheExpiration = time }, cancellationToken: cancellationToken);
}
