using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Caching;

/// <summary>What the cache has.</summary>
internal sealed partial class CacheResilienceStrategy<TResult>
{
    private ValueTask<Outcome<TActual>> FindThenExecute<TActual, TState>(
        object key,
        object storageKey,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state)
    {
        var entry = FindAsync<TActual>(storageKey, context);
        return entry.IsCompletedSuccessfully
            ? Execute(entry.Result, key, storageKey, callback, context, state)
            : ExecuteAsync(entry, key, storageKey, callback, context, state);
    }

    private async ValueTask<Outcome<TActual>> ExecuteAsync<TActual, TState>(
        ValueTask<CacheEntry<TActual>?> pending,
        object key,
        object storageKey,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state)
    {
        var entry = await pending.ConfigureAwait(context.ContinueOnCapturedContext);
        return await Execute(entry, key, storageKey, callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext);
    }

    private ValueTask<Outcome<TActual>> Execute<TActual, TState>(
        CacheEntry<TActual>? entry,
        object key,
        object storageKey,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state) =>
        context.CancellationToken.IsCancellationRequested ? new(Outcomes.Canceled<TActual>(context))
        : entry is not null && IsFresh(entry) ? Return(entry, key, callback, context, state)
        : Call(storageKey, callback, context, state);

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
