using Polly.SingleFlight.Caching.Calls;
using Polly.SingleFlight.Caching.Refresh;
using Polly.SingleFlight.Caching.Storage;
using Polly.SingleFlight.Caching.Telemetry;
using Polly.Telemetry;

namespace Polly.SingleFlight.Caching;

/// <summary>
/// The strategy: returns what is cached (1), or makes the call (2), whose result is kept inside single flight; and answers a failure with what was cached (3). The cache
/// library stores and evicts; what is decided here is what is kept, for how long, and when it is refreshed.
/// </summary>
internal sealed class CacheResilienceStrategy<TResult> : ResilienceStrategy, IDisposable
{
    private readonly CacheParts<TResult> _parts;
    private readonly Func<CacheKeyGeneratorArguments, ValueTask<object?>>? _keyGenerator;
    private readonly Evictor<TResult> _evictor;
    private readonly IDisposable? _registration;

    /// <summary>Whether it was reported that the serializers are missing.</summary>
    private int _hasWarned;

    public CacheResilienceStrategy(
        CacheStore store, CacheStrategyOptions<TResult> options, ResilienceStrategyTelemetry telemetry, ResiliencePipelineBuilderBase builder, IDisposable? registration)
    {
        _parts = new CacheParts<TResult>(store, options, new CacheTelemetry<TResult>(telemetry, options, CacheInstruments.TagsOf(options, builder)), builder);
        _keyGenerator = options.KeyGenerator == CacheStrategyOptions<TResult>.KeyFromContext ? null : options.KeyGenerator;
        _evictor = new Evictor<TResult>(_parts, options.ManualControl);
        _registration = registration;
    }

    /// <summary>The calls in the air, for tests.</summary>
    internal KeyLedger Ledger => _parts.Ledger;

    /// <summary>The refreshes in the background, for tests.</summary>
    internal RefreshSchedule Refreshes => _parts.Refreshes;

    /// <summary>Called when the pipeline is disposed, by a reload for instance.</summary>
    public void Dispose()
    {
        _evictor.Dispose();
        _registration?.Dispose();
    }

    protected override ValueTask<Outcome<TActual>> ExecuteCore<TActual, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback, ResilienceContext context, TState state)
    {
        if (_keyGenerator is null)
        {
            return Execute(context.GetSingleFlightKey(), callback, context, state);
        }

        try
        {
            var key = _keyGenerator(new CacheKeyGeneratorArguments(context));
            return key.IsCompletedSuccessfully ? Execute(key.Result, callback, context, state) : ExecuteAsync(key, callback, context, state);
        }
        catch (Exception exception)
        {
            return Outcome.FromExceptionAsValueTask<TActual>(exception);
        }
    }

    private async ValueTask<Outcome<TActual>> ExecuteAsync<TActual, TState>(
        ValueTask<object?> pendingKey, Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback, ResilienceContext context, TState state)
    {
        object? key;
        try
        {
            key = await pendingKey.ConfigureAwait(context.ContinueOnCapturedContext);
        }
        catch (Exception exception)
        {
            return Outcome.FromException<TActual>(exception);
        }

        return await Execute(key, callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext);
    }

    private ValueTask<Outcome<TActual>> Execute<TActual, TState>(
        object? key, Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback, ResilienceContext context, TState state)
    {
        if (context.CancellationToken.IsCancellationRequested)
        {
            // Since it came: while its key was made.
            return new(Results.Canceled<TActual>(context));
        }

        var mode = context.GetCacheMode();
        if (key is null or "" || mode == CacheMode.Bypass)
        {
            return Bypass(callback, context, state);
        }

        if (typeof(TActual) != typeof(TResult))
        {
            // A pipeline of objects can be asked for no result, and for a disposable one.
            if (ResultType<TActual>.IsVoid)
            {
                return Bypass(callback, context, state);
            }

            if (ResultType<TActual>.IsDisposable)
            {
                return Outcome.FromExceptionAsValueTask<TActual>(new InvalidOperationException(Refusal.Of(typeof(TActual))));
            }

            _evictor.Note<TActual>();
        }

        object storageKey;
        try
        {
            if (mode == CacheMode.Default && _parts.Finder.FindLocal<TActual>(key, context) is { IsEvicted: false } entry)
            {
                var now = _parts.Now;
                return now < entry.ExpiresAt && entry.CanBeHandedOut
                    ? Return(entry, now, key, callback, context, state)
                    : Miss(entry, key, _parts.Store.StorageKey<TActual>(key), callback, context, state);
            }

            storageKey = _parts.Store.StorageKey<TActual>(key);
        }
        catch (Exception exception)
        {
            // A key that the cache cannot take.
            return Outcome.FromExceptionAsValueTask<TActual>(exception);
        }

        return mode == CacheMode.Refresh ? Call(_parts.Finder.FindLocal<TActual>(key, context), _parts.Now, key, storageKey, callback, context, state)
            : _parts.Store.IsShared ? FindThenExecute(key, storageKey, callback, context, state)
            : Call(null, null, key, storageKey, callback, context, state);
    }

    /// <summary>1. Returns what the cache has, and has it refreshed if it is due.</summary>
    private ValueTask<Outcome<TActual>> Return<TActual, TState>(
        CacheEntry<TActual> entry,
        DateTimeOffset now,
        object key,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state)
    {
        if (entry.RefreshAt <= now)
        {
            BackgroundRefresh<TResult, TActual, TState>.Begin(_parts, key, entry, callback, context, state);
        }

        return Answer(entry, now, context, isStale: false);
    }

    private ValueTask<Outcome<TActual>> Answer<TActual>(CacheEntry<TActual> entry, DateTimeOffset now, ResilienceContext context, bool isStale)
    {
        // An earlier execution with this context may have left one.
        context.ClearSingleFlightResult();
        context.SetResultOrigin(isStale ? entry.ToResult(isStale: true) : entry);
        if (entry.Copier is not null)
        {
            return AnswerCopyAsync(entry, now, context, isStale);
        }

        var reported = _parts.Telemetry.Hit(context, Results.Up<TResult, TActual>(entry.Value!), now - entry.StoredAt, isStale);
        return reported.IsCompletedSuccessfully ? new(Outcome.FromResult(entry.Value!)) : AnswerAfterAsync(reported, entry.Value!, context);
    }

    private static async ValueTask<Outcome<TActual>> AnswerAfterAsync<TActual>(ValueTask reported, TActual value, ResilienceContext context)
    {
        await reported.ConfigureAwait(context.ContinueOnCapturedContext);
        return Outcome.FromResult(value);
    }

    /// <summary>Gives the caller a copy of its own, made by the <c>ResultCloner</c> of single flight.</summary>
    private async ValueTask<Outcome<TActual>> AnswerCopyAsync<TActual>(CacheEntry<TActual> entry, DateTimeOffset now, ResilienceContext context, bool isStale)
    {
        TActual copy;
        try
        {
            copy = await entry.Copier!(context, entry.Value!).ConfigureAwait(context.ContinueOnCapturedContext);
        }
        catch (Exception exception)
        {
            return Outcome.FromException<TActual>(exception);
        }

        await _parts.Telemetry.Hit(context, Results.Up<TResult, TActual>(copy), now - entry.StoredAt, isStale).ConfigureAwait(context.ContinueOnCapturedContext);
        return Outcome.FromResult(copy);
    }

    private async ValueTask<Outcome<TActual>> FindThenExecute<TActual, TState>(
        object key, object storageKey, Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback, ResilienceContext context, TState state)
    {
        var (entry, hasFailed) = await _parts.Finder.FindAsync<TActual>(storageKey, pastLocal: false, context).ConfigureAwait(context.ContinueOnCapturedContext);
        if (context.CancellationToken.IsCancellationRequested)
        {
            return Results.Canceled<TActual>(context);
        }

        var now = _parts.Now;
        return EntryFinder<TResult>.IsFresh(entry, now) && entry!.CanBeHandedOut
            ? await Return(entry, now, key, callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext)
            : await Miss(entry, key, storageKey, callback, context, state, hasFailed).ConfigureAwait(context.ContinueOnCapturedContext);
    }

    private ValueTask<Outcome<TActual>> Miss<TActual, TState>(
        CacheEntry<TActual>? old,
        object key,
        object storageKey,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state,
        bool lookHasFailed = false)
    {
        var now = _parts.Now;
        return _parts.Stale.IsRetryDelayed(storageKey, old, now)
            ? Answer(old!, now, context, isStale: true)
            : Call(old, null, key, storageKey, callback, context, state, lookHasFailed);
    }

    /// <summary>2. Makes the call.</summary>
    private ValueTask<Outcome<TActual>> Call<TActual, TState>(
        CacheEntry<TActual>? old,
        DateTimeOffset? newerThan,
        object key,
        object storageKey,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state,
        bool lookHasFailed = false)
    {
        if (_parts.Store is HybridStore { MissesSerializers: true } && Interlocked.Exchange(ref _hasWarned, 1) == 0)
        {
            _parts.Telemetry.SerializersMissing(context);
        }

        var missed = _parts.Telemetry.Miss(context);
        var outer = context.GetFlightInterceptor();
        var call = new CacheCall<TResult, TActual>(_parts, key, storageKey, old, newerThan, outer) { LookHasFailed = lookHasFailed };
        return missed.IsCompletedSuccessfully && !_parts.Stale.AreOn
            ? CallRunner.Run(_parts, call, outer, callback, context, state)
            : CallAsync(missed, call, outer, old, callback, context, state);
    }

    private async ValueTask<Outcome<TActual>> CallAsync<TActual, TState>(
        ValueTask missed,
        CacheCall<TResult, TActual> call,
        FlightInterceptor? outer,
        CacheEntry<TActual>? old,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state)
    {
        await missed.ConfigureAwait(context.ContinueOnCapturedContext);
        var outcome = await CallRunner.Run(_parts, call, outer, callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext);

        // 3. Looks for an old result only now, because most calls do not fail.
        var stale = await _parts.Stale.FindAsync(call.StorageKey, old, outcome, context).ConfigureAwait(context.ContinueOnCapturedContext);
        if (stale is null)
        {
            return outcome;
        }

        var now = _parts.Now;
        return await Answer(stale, now, context, isStale: now >= stale.ExpiresAt).ConfigureAwait(context.ContinueOnCapturedContext);
    }

    /// <summary>Goes on without the cache. Inside another execution of the same context, a flight of this one is not for the other to store.</summary>
    private static ValueTask<Outcome<TActual>> Bypass<TActual, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback, ResilienceContext context, TState state)
    {
        if (context.GetResultOrigin() is not (null or CacheCall { IsRunning: true }))
        {
            // Of an earlier execution with this context.
            context.SetResultOrigin(null);
        }

        return context.GetFlightInterceptor() is { } outer ? BypassAsync(outer, callback, context, state) : Results.Invoke(callback, context, state);

        // What it needs is passed to it, since what it would capture is allocated for every bypass.
        static async ValueTask<Outcome<TActual>> BypassAsync(
            FlightInterceptor outer, Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback, ResilienceContext context, TState state)
        {
            context.SetFlightInterceptor(null);
            var outcome = await Results.Invoke(callback, context, state).Settle().ConfigureAwait(context.ContinueOnCapturedContext);
            context.SetFlightInterceptor(outer);
            return outcome;
        }
    }
}
