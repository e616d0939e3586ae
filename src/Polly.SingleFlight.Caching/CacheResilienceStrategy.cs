using System.Diagnostics;
using System.Runtime.CompilerServices;
using Polly.SingleFlight.Caching.Storage;
using Polly.SingleFlight.Caching.Telemetry;
using Polly.SingleFlight.Execution;
using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;
using Polly.Telemetry;

namespace Polly.SingleFlight.Caching;

/// <summary>
/// The strategy: returns what is cached, and caches what is returned. The cache library stores and evicts; what is decided here
/// is what is kept, for how long, and when it is refreshed.
/// </summary>
internal sealed partial class CacheResilienceStrategy<TResult> : ResilienceStrategy
{
    private readonly CacheStore _store;
    private readonly TimeProvider _clock;
    private readonly ResiliencePipelineBuilderBase _builder;
    private readonly CacheTelemetry<TResult> _telemetry;
    private readonly Func<CacheKeyGeneratorArguments, ValueTask<object?>>? _keyGenerator;
    private readonly TimeSpan _staleOnError;

    public CacheResilienceStrategy(
        CacheStore store, CacheStrategyOptions<TResult> options, ResilienceStrategyTelemetry telemetry, ResiliencePipelineBuilderBase builder)
    {
        _store = store;
        _clock = builder.TimeProvider ?? TimeProvider.System;
        _builder = builder;
        _telemetry = new CacheTelemetry<TResult>(telemetry, options, TagsOf(options, builder));
        _keyGenerator = options.KeyGenerator == CacheStrategyOptions<TResult>.KeyFromContext ? null : options.KeyGenerator;
        _staleOnError = options.StaleOnError;
        _lifetime = new CacheLifetime(options.Lifetime);
        _lifetimeGenerator = options.LifetimeGenerator;
        _shouldCache = options.ShouldCache;
        _refreshes = new RefreshSchedule(_clock);
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
            return key.IsCompletedSuccessfully
                ? Execute(key.Result, callback, context, state)
                : ExecuteAsync(key, callback, context, state);
        }
        catch (Exception exception)
        {
            return Outcome.FromExceptionAsValueTask<TActual>(exception);
        }
    }

    private static TagList TagsOf(CacheStrategyOptions<TResult> options, ResiliencePipelineBuilderBase builder)
    {
        var tags = default(TagList);
        foreach (var (name, value) in ((string, string?)[])[("pipeline.name", builder.Name), ("pipeline.instance", builder.InstanceName), ("strategy.name", options.Name)])
        {
            if (!string.IsNullOrEmpty(value))
            {
                tags.Add(name, value);
            }
        }

        return tags;
    }

    /// <summary>An execution may have been made with a type derived from that of the options.</summary>
    private static TResult Up<TActual>(TActual value) =>
        typeof(TActual) == typeof(TResult) ? Unsafe.As<TActual, TResult>(ref value) : (TResult)(object?)value!;

    private async ValueTask<Outcome<TActual>> ExecuteAsync<TActual, TState>(
        ValueTask<object?> pendingKey,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state)
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
            return new(Outcomes.Canceled<TActual>(context));
        }

        if (key is null or "")
        {
            return context.Properties.TryGetValue(ContextProperties.Inside, out var enclosing) && enclosing is not null
                ? BypassAsync(enclosing, callback, context, state)
                : Outcomes.InvokeAsync(callback, context, state);
        }

        if (ResultOwnership<TActual>.IsExclusive)
        {
            // A pipeline of objects can be asked for one.
            return Outcome.FromExceptionAsValueTask<TActual>(new InvalidOperationException(Refusal.Of(typeof(TActual))));
        }

        object storageKey;
        try
        {
            if (_store.IsImmediate)
            {
                return Find<TActual>(key, context) is { } entry && IsFresh(entry)
                    ? Return(entry, key, callback, context, state)
                    : Call(_store.StorageKey<TActual>(key), callback, context, state);
            }

            storageKey = _store.StorageKey<TActual>(key);
        }
        catch (Exception exception)
        {
            // A key that the cache cannot take.
            return Outcome.FromExceptionAsValueTask<TActual>(exception);
        }

        return FindThenExecute(key, storageKey, callback, context, state);
    }

    /// <summary>Inside another execution of the same context; a flight of this one is not for the other to store.</summary>
    private static async ValueTask<Outcome<TActual>> BypassAsync<TActual, TState>(
        IInsideFlight enclosing, Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback, ResilienceContext context, TState state)
    {
        context.Properties.Set(ContextProperties.Inside, null);
        var outcome = await Outcomes.InvokeAsync(callback, context, state).Settle().ConfigureAwait(context.ContinueOnCapturedContext);
        context.Properties.Set(ContextProperties.Inside, enclosing);
        return outcome;
    }
}
