using Polly.SingleFlight.Caching.Calls;
using Polly.SingleFlight.Caching.Storage;

namespace Polly.SingleFlight.Caching;

/// <summary>One store of an entry: steps 4 to 6 of <see cref="EntryKeeper{TResult}"/>. It may go on after its call, which is why it holds the call's permit.</summary>
internal sealed class EntryStore<TResult, TActual>(
    CacheParts<TResult> parts, Permit permit, CacheCall<TResult, TActual> call, CacheEntry<TActual> entry, Placement placement)
{
    public async Task<bool> RunAsync()
    {
        using var limit = new CancellationTokenSource(parts.StoreTimeout, parts.Clock);
        var hasTurn = false;
        try
        {
            // A store that never ends gives up its turn when the next has waited for the limit.
            hasTurn = await permit.Calls.TryEnterStoreAsync(limit.Token).ConfigureAwait(false);
            return permit.Calls.TryBegin(entry.StartedAt) && await StoreAsync().ConfigureAwait(false);
        }
        finally
        {
            if (hasTurn)
            {
                permit.Calls.LeaveStore();
            }

            permit.Dispose();
        }
    }

    private async Task<bool> StoreAsync()
    {
        if (!permit.IsValid || await IsOutdatedAsync().ConfigureAwait(false))
        {
            return false;
        }

        // The memory of the process first: it answers also while what is behind it does not.
        await parts.Store.StoreLocalAsync(call.StorageKey, entry, placement).ConfigureAwait(false);
        if (permit.IsValid)
        {
            await parts.Store.StoreSharedAsync(call.StorageKey, entry, placement, CancellationToken.None).ConfigureAwait(false);
        }

        if (!permit.IsValid || permit.Calls.HasBegunLater(entry.StartedAt))
        {
            await parts.Store.TakeBackAsync<TActual>(call.StorageKey, entry.Id, parts.Now).ConfigureAwait(false);
            return false;
        }

        var stored = await FindAsync(pastLocal: false).ConfigureAwait(false);
        if (stored is not null && stored.Id != entry.Id && !stored.Outdates(entry.StartedAt))
        {
            // A look past the memory of the process has put back what the distributed cache had before.
            await parts.Store.StoreLocalAsync(call.StorageKey, entry, placement).ConfigureAwait(false);
            stored = await FindAsync(pastLocal: false).ConfigureAwait(false);
        }

        return stored is null
            ? throw new InvalidOperationException("The cache has taken the entry without an error, and does not have it: it may be too large, or not serializable.")
            : stored.Id == entry.Id || stored.Outdates(entry.StartedAt);
    }

    /// <summary>Whether a newer entry, or a mark of eviction, is there. A cache that throws, or does not answer within the limit, does not keep the entry from being stored.</summary>
    private async ValueTask<bool> IsOutdatedAsync()
    {
        try
        {
            // A call that was held by it once is not held again.
            return (call.IsSharedSlow ? parts.Store.FindLocal<TActual>(call.Key) : await FindAsync(pastLocal: true).ConfigureAwait(false)) is { } current && current.Outdates(entry.StartedAt);
        }
        catch (Exception)
        {
            // Had it answered before the call, the entry would be stored if the store does.
            return false;
        }
    }

    private async ValueTask<CacheEntry<TActual>?> FindAsync(bool pastLocal) => parts.Store.IsShared
        ? await Limited.RunAsync(
            static (state, token) => state.Store.FindAsync<TActual>(state.StorageKey, state.pastLocal, token),
            (parts.Store, call.StorageKey, pastLocal),
            parts.StoreTimeout,
            parts.Clock,
            CancellationToken.None).ConfigureAwait(false)
        : await parts.Store.FindAsync<TActual>(call.StorageKey, pastLocal: false, CancellationToken.None).ConfigureAwait(false);
}
