namespace Polly.SingleFlight.Caching.Storage;

/// <summary>A cache library, as the strategy sees it. What it throws is for the strategy to catch.</summary>
internal abstract class CacheStore
{
    /// <summary>What the entries belong to: equal for strategies that find each other's.</summary>
    public abstract object Identity { get; }

    /// <summary>Whether entries may be seen by other processes, which order theirs by the times in the entries.</summary>
    public abstract bool IsShared { get; }

    /// <summary>What an entry of this key and result type is stored under. Throws for keys it cannot take.</summary>
    public abstract object StorageKey<TResult>(object key);

    /// <summary>Looks at what is in the memory of the process, without waiting.</summary>
    public abstract CacheEntry<TResult>? FindLocal<TResult>(object key);

    /// <summary>Looks wherever entries are. With <paramref name="pastLocal"/> the memory of the process is not trusted, and gets what is found if that is newer.</summary>
    public abstract ValueTask<CacheEntry<TResult>?> FindAsync<TResult>(object storageKey, bool pastLocal, CancellationToken cancellationToken);

    /// <summary>Puts the entry into the memory of the process.</summary>
    public abstract ValueTask StoreLocalAsync<TResult>(object storageKey, CacheEntry<TResult> entry, in Placement placement);

    /// <summary>Puts the entry where other processes find it.</summary>
    public abstract ValueTask StoreSharedAsync<TResult>(object storageKey, CacheEntry<TResult> entry, Placement placement, CancellationToken cancellationToken);

    /// <summary>Removes an entry everywhere.</summary>
    public abstract ValueTask RemoveAsync(object storageKey, CancellationToken cancellationToken);

    /// <summary>
    /// Evicts an entry everywhere, with a mark that outlives calls in the air where other processes may store what they called for before <paramref name="upTo"/>.
    /// </summary>
    public virtual ValueTask EvictAsync<TResult>(
        object storageKey, DateTimeOffset upTo, DateTimeOffset now, TimeSpan markTime, CancellationToken cancellationToken) => RemoveAsync(storageKey, cancellationToken);

    /// <summary>Takes an entry back that ought not to have been stored, wherever it is still the one that counts.</summary>
    public abstract ValueTask TakeBackAsync<TResult>(object storageKey, long entryId, DateTimeOffset now);

    /// <summary>Removes every entry of the scope everywhere.</summary>
    public abstract ValueTask RemoveAllAsync(CancellationToken cancellationToken);
}
