using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Caching;

/// <summary>What the cache has.</summary>
internal sealed partial class CacheResilienceStrategy<TResult>
{
    private async ValueTask<Outcome<TActual>> FindThenExecuteAsync<TActual, TState>(
        object key,
        object storageKey,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state)
    {
        var entry = await FindAsync<TActual>(storageKey, context).ConfigureAwait(context.ContinueOnCapturedContext);
        if (context.CancellationToken.IsCancellationRequested)
        {
            return Outcomes.Canceled<TActual>(context);
        }

        return entry is not null && IsFresh(entry)
            ? await Return(entry, key, callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext)
            : await CallAsync(storageKey, callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext);
    }

    /// <summary>What the cache has at once. A cache that throws has nothing.</summary>
    private CacheEntry<TActual>? Find<TActual>(object key, ResilienceContext context)
    {
        try
        {
            return _store.Find<TActual>(key);
        }
        catch (Exception exception)
        {
            _telemetry.Failed(context, "Lookup", exception);
            return null;
        }
    }

    private async ValueTask<CacheEntry<TActual>?> FindAsync<TActual>(object storageKey, ResilienceContext context)
    {
        try
        {
            return await _store.FindAsync<TActual>(storageKey, context.CancellationToken).ConfigureAwait(context.ContinueOnCapturedContext);
        }
        catch (Exception exception)
        {
            if (!context.CancellationToken.IsCancellationRequested)
            {
                _telemetry.Failed(context, "Lookup", exception);
            }

            return null;
        }
    }

    private bool IsFresh<TActual>(CacheEntry<TActual> entry) => _clock.GetUtcNow() < entry.ExpiresAt;
}
