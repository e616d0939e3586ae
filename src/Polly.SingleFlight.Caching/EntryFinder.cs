using System.Runtime.CompilerServices;
using Polly.SingleFlight.Caching.Calls;

namespace Polly.SingleFlight.Caching;

/// <summary>What the cache has. A cache that throws, or does not answer in time, has nothing.</summary>
internal sealed class EntryFinder<TResult>(CacheParts<TResult> parts)
{
    /// <summary>Looks at what is in the memory of the process.</summary>
    public CacheEntry<TActual>? FindLocal<TActual>(object key, ResilienceContext context)
    {
        try
        {
            var entry = typeof(TActual) == typeof(TResult) ? Unsafe.As<CacheEntry<TActual>?>(parts.FindLocal(key)) : parts.Store.FindLocal<TActual>(key);
            return WithCopier(Valid(entry, key));
        }
        catch (Exception exception)
        {
            parts.Telemetry.Failed(context, "Lookup", exception);
            return null;
        }
    }

    /// <summary>Looks wherever entries are. Does not throw.</summary>
    public async ValueTask<Found<TActual>> FindAsync<TActual>(object storageKey, bool pastLocal, ResilienceContext context)
    {
        try
        {
            var entry = parts.Store.IsShared
                ? await Limited.RunAsync(
                    static (state, token) => state.Store.FindAsync<TActual>(state.storageKey, state.pastLocal, token),
                    (parts.Store, storageKey, pastLocal),
                    parts.StoreTimeout,
                    parts.Clock,
                    context.CancellationToken).ConfigureAwait(context.ContinueOnCapturedContext)
                : await parts.Store.FindAsync<TActual>(storageKey, pastLocal, CancellationToken.None).ConfigureAwait(context.ContinueOnCapturedContext);
            return entry is null || IsRevoked(storageKey, entry) ? new(null, HasFailed: false) : new(WithCopier(entry), HasFailed: false);
        }
        catch (Exception exception)
        {
            if (!context.CancellationToken.IsCancellationRequested)
            {
                parts.Telemetry.Failed(context, "Lookup", exception);
            }

            return new(null, HasFailed: true);
        }
    }

    /// <summary>Whether an entry has a result whose lifetime is not over.</summary>
    public static bool IsFresh<TActual>(CacheEntry<TActual>? entry, DateTimeOffset now) => entry is { IsEvicted: false } && now < entry.ExpiresAt;

    private CacheEntry<TActual>? WithCopier<TActual>(CacheEntry<TActual>? entry)
    {
        if (entry is { CanBeHandedOut: false })
        {
            entry.Copier = parts.CopierOf<TActual>();
        }

        return entry;
    }

    /// <summary>An entry that is being stored by a call which has lost the right to is not there.</summary>
    private CacheEntry<TActual>? Valid<TActual>(CacheEntry<TActual>? entry, object key) =>
        entry is not null && (parts.Ledger.Count != 0 || parts.Evictions is not null) && IsRevoked(parts.Store.StorageKey<TActual>(key), entry) ? null : entry;

    /// <summary>Whether an entry is being stored without the right to, or was brought back by a look-up that had read it before it was evicted.</summary>
    private bool IsRevoked<TActual>(object storageKey, CacheEntry<TActual> entry)
    {
        if (parts.Ledger.IsRevoked(storageKey, entry.Id))
        {
            return true;
        }

        if (entry.IsEvicted || parts.Evictions is not { } evictions || evictions.UpTo(storageKey) < entry.StartedAt)
        {
            return false;
        }

        _ = DropAsync<TActual>(storageKey, entry.Id);
        return true;
    }

    /// <summary>Takes an evicted entry out of the memory of the process once more. Does not throw.</summary>
    private async Task DropAsync<TActual>(object storageKey, long entryId)
    {
        try
        {
            await parts.Store.TakeBackAsync<TActual>(storageKey, entryId, parts.Now).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It is not returned while the eviction is remembered, and then its time in the memory of the process is over soon.
        }
    }
}
