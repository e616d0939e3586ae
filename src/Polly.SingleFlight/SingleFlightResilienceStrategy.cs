using System.Diagnostics;
using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;
using Polly.SingleFlight.Telemetry;
using Polly.Telemetry;

namespace Polly.SingleFlight;

/// <summary>
/// The strategy: finds the caller's key, and lets it lead, follow or pass.
/// </summary>
internal sealed partial class SingleFlightResilienceStrategy : ResilienceStrategy
{
    private readonly Func<SingleFlightKeyGeneratorArguments, ValueTask<object?>>? _keyGenerator;
    private readonly FlightTable _table;
    private readonly long _maxJoinAge;
    private readonly bool _detectReentrancy;
    private readonly ResultSharing? _sharing;
    private readonly TagList _tags;
    private readonly ResiliencePipelineBuilderBase _builder;
    private readonly KeyUse _keyUse = new();

    public SingleFlightResilienceStrategy(
        SingleFlightStrategyOptions options,
        Type? resultType,
        ResilienceStrategyTelemetry telemetry,
        ResiliencePipelineBuilderBase builder)
    {
        _builder = builder;
        options.CheckPipeline(builder);
        var group = options.Group ?? new SingleFlightGroup();
        Clock = builder.TimeProvider ?? TimeProvider.System;
        _sharing = options.CreateSharing(group, builder);
        Realm = _sharing?.Realm;
        if (resultType is not null && _sharing is not { MakesCopies: true } && ResultOwnership.IsExclusive(resultType))
        {
            throw ResultOwnership.CannotShare(resultType);
        }

        Telemetry = new FlightTelemetry(telemetry, options);
        LeaderDeparture = options.LeaderDeparture;
        CancelWhenAbandoned = options.CancelWhenAbandoned;
        MaxElections = options.MaxElections;
        _keyGenerator = options.KeyGenerator == SingleFlightStrategyOptions.KeyFromContext ? null : options.KeyGenerator;
        _table = group.Table;
        _detectReentrancy = options.DetectReentrancy;
        _maxJoinAge = ToTimestampUnits(options.MaxJoinAge, Clock);
        if (!string.IsNullOrEmpty(builder.Name))
        {
            _tags.Add("pipeline.name", builder.Name);
        }

        if (!string.IsNullOrEmpty(builder.InstanceName))
        {
            _tags.Add("pipeline.instance", builder.InstanceName);
        }

        if (!string.IsNullOrEmpty(options.Name))
        {
            _tags.Add("strategy.name", options.Name);
        }
    }

    public TimeProvider Clock { get; }

    public FlightTelemetry Telemetry { get; }

    public LeaderDeparture LeaderDeparture { get; }

    public bool CancelWhenAbandoned { get; }

    public int MaxElections { get; }

    /// <summary>The rules by which outcomes are given to callers; null where there are none.</summary>
    public object? Realm { get; }

    /// <summary>Counts an execution whose caller is about to be let go.</summary>
    public void Record(SingleFlightResult result) => SingleFlightInstruments.ExecutionEnded(result, _tags);

    protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        if (_sharing is { FindsKeys: true })
        {
            return ExecuteByDecision(_sharing, callback, context, state);
        }

        if (_keyGenerator is null)
        {
            return Execute(context.GetSingleFlightKey(), null, callback, context, state);
        }

        if (context.CancellationToken.IsCancellationRequested)
        {
            return new(Reject<TResult>(context));
        }

        try
        {
            var key = _keyGenerator(new SingleFlightKeyGeneratorArguments(context));
            if (!key.IsCompletedSuccessfully)
            {
                return ExecuteAsync(key, callback, context, state);
            }

            return Execute(key.Result, null, callback, context, state);
        }
        catch (Exception exception)
        {
            return new(Reject<TResult>(context, exception));
        }
    }

    private async ValueTask<Outcome<TResult>> ExecuteAsync<TResult, TState>(
        ValueTask<object?> pendingKey,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
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
            return Reject<TResult>(context, exception);
        }

        return await Execute(key, null, callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext);
    }

    private ValueTask<Outcome<TResult>> Execute<TResult, TState>(
        object? key,
        Attachment? attachment,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state)
    {
        if (context.CancellationToken.IsCancellationRequested)
        {
            return new(Reject<TResult>(context));
        }

        if (key is null or "")
        {
            return ExecuteAlone(BypassReason.NoKey, callback, context, state);
        }

        _keyUse.Keyed();
        if (ResultOwnership<TResult>.IsExclusive && _sharing is not { MakesCopies: true })
        {
            return new(Reject<TResult>(context, ResultOwnership.CannotShare(typeof(TResult))));
        }

        Admission<TResult> admission;
        try
        {
            admission = Admit(key, attachment, callback, context, state);
        }
        catch (Exception exception)
        {
            // The comparer or the clock threw; nothing was changed by then.
            return new(Reject<TResult>(context, exception));
        }

        return admission switch
        {
            { Waiter: { } waiter } => Follow(waiter, admission.CallerCount),
            { Flight: { } flight } => Lead(flight, admission.CallerCount, callback, context, state),
            _ => ExecuteAlone(BypassReason.Reentrancy, callback, context, state),
        };
    }

    /// <summary>Ends an execution that neither flew nor ran alone; an earlier result of the same context must not pass for its own.</summary>
    private static Outcome<TResult> Reject<TResult>(ResilienceContext context, Exception? exception = null)
    {
        if (context.Properties.TryGetValue(ContextProperties.Participation, out _))
        {
            context.Properties.Set(ContextProperties.Participation, null);
        }

        return exception is null ? Outcomes.Canceled<TResult>(context) : Outcome.FromException<TResult>(exception);
    }

    private static long ToTimestampUnits(TimeSpan span, TimeProvider clock)
    {
        var units = span.Ticks * (clock.TimestampFrequency / (double)TimeSpan.TicksPerSecond);

        // The comparison is not for show: before .NET 9 the cast of a larger value wraps around.
        return span == System.Threading.Timeout.InfiniteTimeSpan || units >= long.MaxValue ? long.MaxValue : (long)units;
    }
}
