using Polly.SingleFlight.Execution;

namespace Polly.SingleFlight.Caching;

/// <summary>The way of executions that found a fresh result, and the refresh that some of them set off.</summary>
internal sealed partial class CacheResilienceStrategy<TResult>
{
    private readonly RefreshSchedule _refreshes;

    private ValueTask<Outcome<TActual>> Return<TActual, TState>(
        CacheEntry<TActual> entry,
        object key,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state)
    {
        var now = _clock.GetUtcNow();
        if (entry.RefreshAt <= now)
        {
            Refresh(entry, key, callback, context, state);
        }

        if (context.Properties.TryGetValue(ContextProperties.Participation, out var part) && part is not null)
        {
            // Of an earlier execution with this context; a hit has none.
            context.Properties.Set(ContextProperties.Participation, null);
        }

        var hit = _telemetry.Hit(context, Up(entry.Value), now - entry.StoredAt, isStale: false);
        return hit.IsCompletedSuccessfully ? new(Outcome.FromResult(entry.Value)) : ReturnAfterAsync(hit, entry.Value, context);
    }

    private static async ValueTask<Outcome<TActual>> ReturnAfterAsync<TActual>(ValueTask hit, TActual value, ResilienceContext context)
    {
        await hit.ConfigureAwait(context.ContinueOnCapturedContext);
        return Outcome.FromResult(value);
    }

    /// <summary>
    /// Starts a background execution unless there is one, or the last has failed a moment ago. It runs on the thread pool, under no
    /// caller's execution context and on a context of its own.
    /// </summary>
    private void Refresh<TActual, TState>(
        CacheEntry<TActual> entry,
        object key,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state)
    {
        var storageKey = _store.StorageKey<TActual>(key);
        if (!_refreshes.TryBegin(storageKey))
        {
            return;
        }

        var own = FlightContext.RentCopy(context);
        ThreadPool.UnsafeQueueUserWorkItem(
            new BackgroundCall<TActual, TState>(this, new Visit(this, storageKey, entry.StoredAt), storageKey, callback, own, state),
            preferLocal: false);
    }

    private sealed class BackgroundCall<TActual, TState>(
        CacheResilienceStrategy<TResult> strategy,
        Visit visit,
        object storageKey,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state) : IThreadPoolWorkItem
    {
        public void Execute() => _ = RunAsync();

        private async Task RunAsync()
        {
            if (await visit.FindNewerAsync<TActual>(context).ConfigureAwait(false) is not null)
            {
                // Whoever set this off saw the entry before it was refreshed, by a refresh that has ended since.
                strategy._refreshes.End(storageKey, succeeded: true);
                FlightContext.Return(context);
                return;
            }

            var outcome = await CallAndKeep(visit, callback, context, state, isBackground: true).ConfigureAwait(false);

            // A result that is not kept would be asked for again by the next hit, so that too has to wait for a moment.
            strategy._refreshes.End(storageKey, outcome.Exception is null && (visit.HasRenewed || PartOf(context, before: null)?.ToResult() is { Role: SingleFlightRole.Follower }));
            var reported = outcome.Exception is { } exception
                ? Outcome.FromException<TResult>(exception)
                : Outcome.FromResult(Up(outcome.Result!));
            await strategy._telemetry.Refreshed(context, reported).ConfigureAwait(false);
            FlightContext.Return(context);
        }
    }
}
