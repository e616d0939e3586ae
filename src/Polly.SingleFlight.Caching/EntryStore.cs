using Polly.SingleFlight.Caching.Calls;
using Polly.SingleFlight.Caching.Storage;

namespace Polly.SingleFlight.Caching;

/// <summary>One store of an entry: steps 4 to 6 of <see cref="EntryKeeper{TResult}"/>. It may go on after its call, which is why it holds the call's permit.</summary>
internal sealed class EntryStore<TResult, TActual>(
    CacheParts<TResult> parts, Permit permit, CacheCall<TResult, TActual> call, CacheEntry<TActual> entry, Placement placement)
{
    private readonly object _storageKey = call.StorageKey;

    /// <summary>What was there before.</summary>
    private CacheEntry<TActual>? _current;

    public async Task<bool> RunAsync()
    {
        // Shorter than the caller is held, so that the memory of the process has the entry by then.
        using var limit = new CancellationTokenSource(parts.StoreTimeout / 2, parts.Clock);
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
        await parts.Store.StoreLocalAsync(_storageKey, entry, placement).ConfigureAwait(false);
        if (permit.IsValid)
        {
            await parts.Store.StoreSharedAsync(_storageKey, entry, placement, CancellationToken.None).ConfigureAwait(false);
        }

        if (!permit.IsValid || permit.Calls.HasBegunLater(entry.StartedAt))
        {
            await parts.Store.TakeBackAsync<TActual>(_storageKey, entry.Id, parts.Now).ConfigureAwait(false);
            return false;
        }

        if (await IsSeenAsync().ConfigureAwait(false))
        {
            return true;
        }

        if (parts.Now - entry.ExpiresAt >= parts.StaleOnError)
        {
            // Its time is over already.
            return false;
        }

        // A look-up that read behind before this store may have put into memory what it found there, so it is tried once more.
        if (permit.IsValid)
        {
            await parts.Store.StoreLocalAsync(_storageKey, entry, placement).ConfigureAwait(false);
        }

        if (!permit.IsValid)
        {
            await parts.Store.TakeBackAsync<TActual>(_storageKey, entry.Id, parts.Now).ConfigureAwait(false);
            return false;
        }

        if (await IsSeenAsync().ConfigureAwait(false))
        {
            return true;
        }

        if (_current is { IsEvicted: false } && await FindAsync(pastLocal: false).ConfigureAwait(false) is null)
        {
            // A memory cache that has no room for an entry drops the one it was to replace.
            await parts.Store.StoreLocalAsync(_storageKey, _current, parts.Keeper.PlacementAgain(_current)).ConfigureAwait(false);
        }

        throw new InvalidOperationException("The cache has taken the entry without an error, and does not have it: it may be too large, or not serializable.");
    }

    private async ValueTask<bool> IsSeenAsync() =>
        await FindAsync(pastLocal: false).ConfigureAwait(false) is { } stored && (stored.Id == entry.Id || stored.Outdates(entry.StartedAt));

    /// <summary>Whether a newer entry, or a mark of eviction, is there. A cache that throws, or does not answer within the limit, does not keep the entry from being stored.</summary>
    private async ValueTask<bool> IsOutdatedAsync()
    {
        try
        {
            _current = call.LookHasFailed ? null : await FindAsync(pastLocal: true).ConfigureAwait(false);
            return _current?.Outdates(entry.StartedAt) == true;
        }
        catch (Exception)
        {
            // Had it answered before the call, the entry would be stored if the store does.
            return false;
        }
    }

    private async ValueTask<CacheEntry<TActual>?> FindAsync(bool pastLocal) => parts.Store.IsShared
        ? await Limited.RunAsync(
            static (state, token) => state.Store.FindAsync<TActual>(state._storageKey, state.pastLocal, token),
            (parts.Store, _storageKey, pastLocal),
            parts.StoreTimeout,
            parts.Clock,
            CancellationToken.None).ConfigureAwait(false)
        : await parts.Store.FindAsync<TActual>(_storageKey, pastLocal: false, CancellationToken.None).ConfigureAwait(false);
}
