using Microsoft.Extensions.Caching.Memory;

namespace Polly.SingleFlight.Caching.Storage;

/// <summary>An <see cref="IMemoryCache"/>. The entry is stored as it is.</summary>
internal sealed class MemoryStore(IMemoryCache cache, object scope) : CacheStore
{
    /// <summary>
    /// Whether a lookup is certain not to keep the key it is made with, which can then be one that is used again. It is for
    /// Microsoft's own cache; others may do as they like with a key.
    /// </summary>
    private readonly bool _keepsNoKeys = cache.GetType().FullName == "Microsoft.Extensions.Caching.Memory.MemoryCache";

    [ThreadStatic]
    private static MemoryKey? s_probe;

    public override object StorageKey<TResult>(object key) => new MemoryKey(scope, typeof(TResult), key);

    public override bool IsImmediate => true;

    public override CacheEntry<TResult>? Find<TResult>(object key)
    {
        if (!_keepsNoKeys)
        {
            return FindStored<TResult>(StorageKey<TResult>(key));
        }

        // Taken for the time of the lookup: comparing keys is foreign code, which may look something up itself.
        var probe = s_probe ?? new MemoryKey(null, null, null);
        s_probe = null;
        probe.Set(scope, typeof(TResult), key);
        try
        {
            return FindStored<TResult>(probe);
        }
        finally
        {
            probe.Set(null, null, null);
            s_probe = probe;
        }
    }

    public override ValueTask<CacheEntry<TResult>?> FindAsync<TResult>(object storageKey, CancellationToken cancellationToken) =>
        new(FindStored<TResult>(storageKey));

    public override ValueTask KeepAsync<TResult>(object storageKey, CacheEntry<TResult> entry, TimeSpan time, CancellationToken cancellationToken)
    {
        using var slot = cache.CreateEntry(storageKey);
        slot.Value = entry;
        slot.AbsoluteExpirationRelativeToNow = time;

        // A cache with a limit wants a size; without a limit it does not matter.
        slot.Size = 1;
        return default;
    }

    private CacheEntry<TResult>? FindStored<TResult>(object storageKey) =>
        cache.TryGetValue(storageKey, out var found) ? found as CacheEntry<TResult> : null;
}
