namespace Polly.SingleFlight.Caching.Storage;

/// <summary>A cache library, as the strategy sees it. What it throws is for the strategy to catch.</summary>
internal abstract class CacheStore
{
    /// <summary>What an entry of this key and result type is stored under, when it is certain that it will be needed. Throws for keys it cannot take.</summary>
    public abstract object StorageKey<TResult>(object key);

    /// <summary>Whether a key is looked up at once, with <see cref="Find"/>.</summary>
    public virtual bool IsImmediate => false;

    public virtual CacheEntry<TResult>? Find<TResult>(object key) => throw new NotSupportedException();

    public abstract ValueTask<CacheEntry<TResult>?> FindAsync<TResult>(object storageKey, CancellationToken cancellationToken);

    public abstract ValueTask KeepAsync<TResult>(object storageKey, CacheEntry<TResult> entry, TimeSpan time, CancellationToken cancellationToken);
}
