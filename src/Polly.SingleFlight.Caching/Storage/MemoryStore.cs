using System.Runtime.CompilerServices;
using Microsoft.Extensions.Caching.Memory;

namespace Polly.SingleFlight.Caching.Storage;

/// <summary>An <see cref="IMemoryCache"/>. The entry is stored as it is.</summary>
internal sealed class MemoryStore : CacheStore
{
    /// <summary>The scopes of each cache, which strategies of one scope have in common.</summary>
    private static readonly ConditionalWeakTable<IMemoryCache, Dictionary<string, MemoryScope>> s_scopes = [];

    [ThreadStatic]
    private static MemoryKey? s_probe;

    private readonly IMemoryCache _cache;
    private readonly MemoryScope _scope;

    /// <summary>
    /// Whether a lookup is certain not to keep the key it is made with, which can then be one that is used again. It is for
    /// Microsoft's own cache; others may do as they like with a key.
    /// </summary>
    private readonly bool _keepsNoKeys;

    /// <param name="cache">The cache.</param>
    /// <param name="scope">The scope; null for one of this store alone.</param>
    public MemoryStore(IMemoryCache cache, string? scope)
    {
        _cache = cache;
        _keepsNoKeys = cache.GetType().FullName == "Microsoft.Extensions.Caching.Memory.MemoryCache";
        if (scope is null)
        {
            _scope = new MemoryScope();
            return;
        }

        var scopes = s_scopes.GetOrCreateValue(cache);
        lock (scopes)
        {
            if (!scopes.TryGetValue(scope, out _scope!))
            {
                scopes[scope] = _scope = new MemoryScope();
            }
        }
    }

    public override object Identity => _scope;

    public override bool IsShared => false;

    public override object StorageKey<TResult>(object key) => new MemoryKey(_scope.Generation, typeof(TResult), key);

    public override CacheEntry<TResult>? FindLocal<TResult>(object key)
    {
        if (!_keepsNoKeys)
        {
            return FindStored<TResult>(StorageKey<TResult>(key));
        }

        // Taken for the time of the lookup: comparing keys is foreign code, which may look something up itself.
        var probe = s_probe ?? new MemoryKey(null, null, null);
        s_probe = null;
        probe.Set(_scope.Generation, typeof(TResult), key);
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

    public override ValueTask<CacheEntry<TResult>?> FindAsync<TResult>(object storageKey, bool pastLocal, CancellationToken cancellationToken) =>
        new(FindStored<TResult>(storageKey));

    public override ValueTask StoreLocalAsync<TResult>(object storageKey, CacheEntry<TResult> entry, in Placement placement)
    {
        using var slot = _cache.CreateEntry(storageKey);
        slot.Value = entry;
        slot.AbsoluteExpirationRelativeToNow = placement.Time;

        // A cache with a limit wants a size; without a limit it does not matter.
        slot.Size = placement.Size;
        return default;
    }

    public override ValueTask StoreSharedAsync<TResult>(object storageKey, CacheEntry<TResult> entry, Placement placement, CancellationToken cancellationToken) =>
        default;

    public override ValueTask RemoveAsync(object storageKey, CancellationToken cancellationToken)
    {
        _cache.Remove(storageKey);
        return default;
    }

    public override ValueTask TakeBackAsync<TResult>(object storageKey, long entryId, DateTimeOffset now)
    {
        if (FindStored<TResult>(storageKey)?.Id == entryId)
        {
            _cache.Remove(storageKey);
        }

        return default;
    }

    /// <summary>Entries of the old generation are found no more; the cache drops them when their time is over, or for want of room.</summary>
    public override ValueTask RemoveAllAsync(CancellationToken cancellationToken)
    {
        _scope.Generation = new object();
        return default;
    }

    private CacheEntry<TResult>? FindStored<TResult>(object storageKey) =>
        _cache.TryGetValue(storageKey, out var found) ? found as CacheEntry<TResult> : null;

    private sealed class MemoryScope
    {
        private object _generation = new();

        /// <summary>Part of the keys of the entries. Exchanged to evict them all.</summary>
        public object Generation
        {
            get => Volatile.Read(ref _generation);
            set => Volatile.Write(ref _generation, value);
        }
    }
}
