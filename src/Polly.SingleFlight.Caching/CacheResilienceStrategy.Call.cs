using Polly.SingleFlight.Execution;
using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Caching;

/// <summary>The way of executions that found nothing fresh: the call, what becomes of its result, and what is there if it fails.</summary>
internal sealed partial class CacheResilienceStrategy<TResult>
{
    /// <summary>Longer than any service runs, and short enough for the clocks of caches to add.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(3650);

    private readonly CacheLifetime _lifetime;
    private readonly Func<CacheLifetimeGeneratorArguments<TResult>, ValueTask<CacheLifetime>>? _lifetimeGenerator;
    private readonly Func<ShouldCachePredicateArguments<TResult>, ValueTask<bool>>? _shouldCache;

    private ValueTask<Outcome<TActual>> Call<TActual, TState>(
        object storageKey, Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback, ResilienceContext context, TState state)
    {
        var missed = _telemetry.Miss(context);
        var call = new Visit(this, storageKey, newerThan: null);
        return missed.IsCompletedSuccessfully && _staleOnError == TimeSpan.Zero
            ? CallAndKeep(call, callback, context, state, isBackground: false)
            : CallAsync(missed, call, storageKey, callback, context, state);
    }

    private async ValueTask<Outcome<TActual>> CallAsync<TActual, TState>(
        ValueTask missed,
        Visit visit,
        object storageKey,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state)
    {
        await missed.ConfigureAwait(context.ContinueOnCapturedContext);
        var outcome = await CallAndKeep(visit, callback, context, state, isBackground: false).ConfigureAwait(context.ContinueOnCapturedContext);
        if (outcome.Exception is null || _staleOnError == TimeSpan.Zero || context.CancellationToken.IsCancellationRequested)
        {
            return outcome;
        }

        // Looked up only now, because most calls do not fail.
        var entry = await FindAsync<TActual>(storageKey, context).ConfigureAwait(context.ContinueOnCapturedContext);
        var now = _clock.GetUtcNow();
        if (entry is null || now - entry.ExpiresAt >= _staleOnError)
        {
            return outcome;
        }

        await _telemetry.Hit(context, Up(entry.Value), now - entry.StoredAt, isStale: now >= entry.ExpiresAt)
            .ConfigureAwait(context.ContinueOnCapturedContext);
        return Outcome.FromResult(entry.Value);
    }

    /// <summary>
    /// Makes the call. Its result is kept inside the single flight strategy, by the flight that the call leads, before anybody holds it, or by
    /// whoever runs alone; or here, if there is no such strategy inside. A follower's result is its leader's business, so its wait is returned
    /// as it is: an asynchronous method around it would need a thread to end, which a caller that blocks its own may be holding.
    /// </summary>
    private static ValueTask<Outcome<TActual>> CallAndKeep<TActual, TState>(
        Visit visit, Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback, ResilienceContext context, TState state, bool isBackground)
    {
        context.Properties.TryGetValue(ContextProperties.Inside, out var enclosing);
        context.Properties.TryGetValue(ContextProperties.Participation, out var before);
        context.Properties.Set(ContextProperties.Inside, visit);
        ValueTask<Outcome<TActual>> pending;
        try
        {
            // A context that no pipeline has begun with has to be made ready, which the empty pipeline does.
            pending = isBackground ? ResiliencePipeline.Empty.ExecuteOutcomeAsync(callback, context, state) : callback(context, state);
        }
        catch (Exception exception)
        {
            pending = new(Outcome.FromException<TActual>(exception));
        }

        // What is to be done inside stays with the context, in case the follower has to make the call after all.
        return enclosing is null && !pending.IsCompleted && PartOf(context, before) is { IsWaitingFollower: true }
            ? pending
            : KeepAsync(pending, visit, enclosing, before, context);
    }

    private static async ValueTask<Outcome<TActual>> KeepAsync<TActual>(
        ValueTask<Outcome<TActual>> pending, Visit visit, IInsideFlight? enclosing, IParticipation? before, ResilienceContext context)
    {
        var outcome = await pending.Settle().ConfigureAwait(context.ContinueOnCapturedContext);
        context.Properties.Set(ContextProperties.Inside, enclosing);
        if (!visit.WasInside && PartOf(context, before)?.ToResult() is not { Role: SingleFlightRole.Follower })
        {
            await visit.KeepAsync(context, outcome).ConfigureAwait(context.ContinueOnCapturedContext);
        }

        return outcome;
    }

    /// <summary>The part that the call played in a flight of its own.</summary>
    private static IParticipation? PartOf(ResilienceContext context, IParticipation? before) =>
        context.Properties.TryGetValue(ContextProperties.Participation, out var part) && part != before ? part : null;

    /// <summary>Keeps a result if the options say so, and tells whether it did. Does not throw.</summary>
    private async ValueTask<bool> KeepAsync<TActual>(object storageKey, TActual result, long start, ResilienceContext context)
    {
        var source = "ShouldCache";
        try
        {
            // Both now and in this order, so that nothing that takes time from here on makes the lifetime longer.
            var now = _clock.GetUtcNow();
            var elapsed = _clock.GetElapsedTime(start);
            if (_shouldCache is not null
                && !await _shouldCache(new ShouldCachePredicateArguments<TResult>(context, Outcome.FromResult(Up(result))))
                    .ConfigureAwait(context.ContinueOnCapturedContext))
            {
                return false;
            }

            source = "LifetimeGenerator";
            var lifetime = _lifetimeGenerator is null
                ? _lifetime
                : await _lifetimeGenerator(new CacheLifetimeGeneratorArguments<TResult>(context, Up(result), elapsed))
                    .ConfigureAwait(context.ContinueOnCapturedContext);
            if (lifetime.Lifetime <= TimeSpan.Zero)
            {
                return false;
            }

            source = "Store";
            var entry = new CacheEntry<TActual>(
                result, now, Later(now, lifetime.Lifetime), lifetime.RefreshAfter is { } after ? Later(now, after) : null);
            await _store.KeepAsync(storageKey, entry, Sum(lifetime.Lifetime, _staleOnError), context.CancellationToken)
                .ConfigureAwait(context.ContinueOnCapturedContext);
            return true;
        }
        catch (Exception exception)
        {
            if (exception is not OperationCanceledException || !context.CancellationToken.IsCancellationRequested)
            {
                _telemetry.Failed(context, source, exception);
            }

            return false;
        }
    }

    private static DateTimeOffset Later(DateTimeOffset now, TimeSpan span) =>
        span <= TimeSpan.Zero ? now
        : span < DateTimeOffset.MaxValue - now ? now + span
        : DateTimeOffset.MaxValue;

    private static TimeSpan Sum(TimeSpan left, TimeSpan right) => left < s_longest - right ? left + right : s_longest;

    /// <summary>What one call does with the cache, wherever it is made.</summary>
    private sealed class Visit(CacheResilienceStrategy<TResult> strategy, object storageKey, DateTimeOffset? newerThan) : IInsideFlight
    {
        /// <summary>Never set again: one call can start a flight while an earlier one of its own goes on, so the first start is the safe one.</summary>
        private readonly long _start = strategy._clock.GetTimestamp();

        public object Builder => strategy._builder;

        /// <summary>Whether a flight took over.</summary>
        public bool WasInside { get; private set; }

        /// <summary>Whether the cache has what it had not before.</summary>
        public bool HasRenewed { get; private set; }

        /// <summary>The second look: whoever missed a result that was about to be stored finds it here (see docs/caching.md).</summary>
        public ValueTask<Outcome<TActual>?> FindAsync<TActual>(ResilienceContext context)
        {
            WasInside = true;
            return FindNewerAsync<TActual>(context);
        }

        public async ValueTask<Outcome<TActual>?> FindNewerAsync<TActual>(ResilienceContext context)
        {
            var entry = await strategy.FindAsync<TActual>(storageKey, context).ConfigureAwait(context.ContinueOnCapturedContext);
            if (entry is null || !strategy.IsFresh(entry) || entry.StoredAt <= newerThan)
            {
                return null;
            }

            HasRenewed = true;
            return Outcome.FromResult(entry.Value);
        }

        public async ValueTask KeepAsync<TActual>(ResilienceContext context, Outcome<TActual> outcome)
        {
            WasInside = true;
            if (outcome.Exception is null
                && await strategy.KeepAsync(storageKey, outcome.Result!, _start, context).ConfigureAwait(context.ContinueOnCapturedContext))
            {
                HasRenewed = true;
            }
        }
    }
}
