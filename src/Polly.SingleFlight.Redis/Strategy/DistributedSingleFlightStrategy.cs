using System.Collections.Concurrent;
using Polly.SingleFlight.Redis.Payload;
using Polly.Telemetry;

namespace Polly.SingleFlight.Redis.Strategy;

/// <summary>
/// The strategy: finds the key of an execution, and has it lead or follow a flight of all nodes, or run alone.
/// </summary>
internal sealed class DistributedSingleFlightStrategy<TResult> : ResilienceStrategy
{
    private readonly DistributedParts<TResult> _parts;
    private readonly Func<SingleFlightKeyGeneratorArguments, ValueTask<object?>> _keyGenerator;
    private readonly FlightKind<TResult> _kind;

    /// <summary>Of types derived from the pipeline's.</summary>
    private readonly ConcurrentDictionary<Type, object> _otherKinds = new();

    public DistributedSingleFlightStrategy(
        RedisSingleFlightGroup group, DistributedSingleFlightStrategyOptions<TResult> options, ResilienceStrategyTelemetry telemetry, ResiliencePipelineBuilderBase builder)
    {
        _parts = new DistributedParts<TResult>(group, options, telemetry, builder);
        _keyGenerator = options.KeyGenerator;
        _kind = CreateKind<TResult>();
    }

    protected override async ValueTask<Outcome<TActual>> ExecuteCore<TActual, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback, ResilienceContext context, TState state)
    {
        if (context.CancellationToken.IsCancellationRequested)
        {
            return Outcomes.Canceled<TActual>(context);
        }

        object? key;
        FlightName? name = null;
        FlightKind<TActual>? kind = null;
        try
        {
            key = await _keyGenerator(new SingleFlightKeyGeneratorArguments(context)).ConfigureAwait(context.ContinueOnCapturedContext);
            if (key is not (null or "") && !ResultType<TActual>.IsVoid)
            {
                if (ResultType<TActual>.IsDisposable)
                {
                    throw new InvalidOperationException(ResultType.Refusal(typeof(TActual)));
                }

                kind = KindOf<TActual>();
                name = _parts.Group.Identity.NameOf(key, kind.Text);
            }
        }
        catch (Exception exception)
        {
            return Outcome.FromException<TActual>(exception);
        }

        if (WhyAlone(name, context) is { } reason)
        {
            if (context.CancellationToken.IsCancellationRequested)
            {
                return Outcomes.Canceled<TActual>(context);
            }

            _parts.Telemetry.Bypassed(context, reason);
            return await Outcomes.InvokeAsync(callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext);
        }

        var call = new FlightCall<TActual, TState>(kind!, name!, key!, callback, context, state);
        return await new DistributedCall<TResult, TActual, TState>(_parts, call).RunAsync().ConfigureAwait(context.ContinueOnCapturedContext);
    }

    /// <summary>Why Redis is not asked; null if it is.</summary>
    private DistributedBypassReason? WhyAlone(FlightName? name, ResilienceContext context) =>
        name is null ? DistributedBypassReason.NoKey
        : Nesting.Includes(name.Text, context) ? DistributedBypassReason.Reentrancy
        : _parts.Unshared.Contains(name.Text) ? DistributedBypassReason.Remembered
        : null;

    private FlightKind<TActual> KindOf<TActual>() => typeof(TActual) == typeof(TResult)
        ? (FlightKind<TActual>)(object)_kind
        : (FlightKind<TActual>)_otherKinds.GetOrAdd(typeof(TActual), static (_, strategy) => strategy.CreateKind<TActual>(), this);

    private FlightKind<TActual> CreateKind<TActual>()
    {
        var format = ResultFormat<TActual>.Create(_parts.Options);
        return new FlightKind<TActual>(format, _parts.Group.Identity.KindOf(typeof(TActual), format.Name, _parts.Version));
    }
}
