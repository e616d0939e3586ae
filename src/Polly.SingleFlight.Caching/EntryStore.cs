using Polly.SingleFlight.Caching.Calls;
using Polly.SingleFlight.Caching.Storage;

namespace Polly.SingleFlight.Caching;

/// <summary>One store of an entry: steps 4 to 6 of <see cref="EntryKeeper{TResult}"/>. It may go on after its call, which is why it holds the call's permit.</summary>
internal sealed class EntryStore<TResult, TActual>(
    CacheParts<TResult> parts, Permit permit, object storageKey, CacheEntry<TActual> entry, Placement placement)
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
        if (!permit.IsValid || await FindCurrentAsync().ConfigureAwait(false) is { } current && current.Outdates(entry.StartedAt))
        {
            return false;
        }

        // The memory of the process first: it answers also while what is behind it does not.
        await parts.Store.StoreLocalAsync(storageKey, entry, placement).ConfigureAwait(false);
        if (permit.IsValid)
        {
            await parts.Store.StoreSharedAsync(storageKey, entry, placement, CancellationToken.None).ConfigureAwait(false);
        }

        var stored = await FindAsync(pastLocal: false).ConfigureAwait(false);
        if (stored is not null && stored.Id != entry.Id && !stored.Outdates(entry.StartedAt) && permit.IsValid)
        {
            // Somebody who looked past the memory of the process has put back what the distributed cache had then.
            await parts.Store.StoreLocalAsync(storageKey, entry, placement).ConfigureAwait(false);
            stored = await FindAsync(pastLocal: false).ConfigureAwait(false);
        }

        if (stored?.Id == entry.Id && (!permit.IsValid || permit.Calls.HasBegunLater(entry.StartedAt)))
        {
            await parts.Store.RemoveAsync(storageKey, CancellationToken.None).ConfigureAwait(false);
            return false;
        }

        if (stored is null && parts.Now - entry.ExpiresAt >= parts.StaleOnError)
        {
            // Its time is over already.
            return false;
        }

        return stored is null
            ? throw new InvalidOperationException("The cache has taken the entry without an error, and does not have it: it may be too large, or not serializable.")
            : stored.Id == entry.Id || stored.Outdates(entry.StartedAt);
    }

    /// <summary>What there is before the store; nothing if that cannot be read, which is then replaced.</summary>
    private async ValueTask<CacheEntry<TActual>?> FindCurrentAsync()
    {
        try
        {
            return await FindAsync(pastLocal: true).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The call's own look-ups have reported it.
            return null;
        }
    }

    private ValueTask<CacheEntry<TActual>?> FindAsync(bool pastLocal) =>
        parts.Store.FindAsync<TActual>(storageKey, pastLocal && parts.Store.IsShared, CancellationToken.None);
}
