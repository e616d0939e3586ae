using System.Diagnostics;
using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;
using Polly.SingleFlight.Telemetry;
using Polly.Telemetry;

namespace Polly.SingleFlight.Execution;

/// <summary>What all executions of one strategy work with.</summary>
internal sealed class ExecutionParts : IFlightListener
{
    private readonly TagList _tags;

    public ExecutionParts(
        SingleFlightStrategyOptions options, Type? resultType, ResilienceStrategyTelemetry telemetry, ResiliencePipelineBuilderBase builder)
    {
        options.CheckPipeline(builder);
        var group = options.Group ?? new SingleFlightGroup();
        var clock = builder.TimeProvider ?? TimeProvider.System;
        Table = group.Table;
        Builder = builder;
        Telemetry = new FlightTelemetry(telemetry, options);
        Sharing = options.CreateSharing(group, builder, Telemetry);
        if (resultType is not null && Sharing is not { MakesCopies: true } && ResultOwnership.IsExclusive(resultType))
        {
            throw ResultOwnership.CannotShare(resultType);
        }

        Rules = new FlightRules
        {
            Clock = new FlightClock(clock),
            LeaderDeparture = options.LeaderDeparture,
            CancelWhenAbandoned = options.CancelWhenAbandoned,
            MaxElections = options.MaxElections,
            DetectReentrancy = options.DetectReentrancy,
            MaxJoinAge = ToTimestampUnits(options.MaxJoinAge, clock),
            Realm = Sharing?.Realm,
            Listener = this,
        };
        if (Rules.MaxJoinAge != long.MaxValue)
        {
            FlightClock.RequireExact();
        }

        _tags = TagsOf(options, builder);
    }

    public FlightRules Rules { get; }

    public FlightTable Table { get; }

    public FlightTelemetry Telemetry { get; }

    /// <summary>Determines how results are shared; null if all callers get the outcome itself.</summary>
    public ResultSharing? Sharing { get; }

    /// <summary>What the pipeline was built with, by which strategies of one pipeline know each other.</summary>
    public ResiliencePipelineBuilderBase Builder { get; }

    public KeyUse KeyUse { get; } = new();

    public long Now => Rules.Clock.Now;

    public ref readonly TagList Tags => ref _tags;

    /// <summary>The flight as strategies outside see it.</summary>
    public InterceptedFlight Intercept(Flight flight) => flight.Interception ?? flight.SetInterception(new InterceptedFlight(flight, Sharing, mayKeep: true));

    /// <summary>Counts an execution whose caller is about to be let go.</summary>
    public void Count(SingleFlightResult result) => SingleFlightInstruments.ExecutionEnded(result, _tags);

    void IFlightListener.OnAbandoned(Flight flight, ResilienceContext leaver) => Telemetry.Abandoned(leaver, flight);

    public FlightCanceledException CreateCancellation() => Telemetry.Rejection(new FlightCanceledException());

    bool IFlightListener.IsLossOfLeader(Exception exception) => Sharing?.MayBeCausedByLeave(exception) == true;

    private static TagList TagsOf(SingleFlightStrategyOptions options, ResiliencePipelineBuilderBase builder)
    {
        var tags = default(TagList);
        foreach (var (name, value) in ((string, string?)[])
            [("pipeline.name", builder.Name), ("pipeline.instance", builder.InstanceName), ("strategy.name", options.Name)])
        {
            if (!string.IsNullOrEmpty(value))
            {
                tags.Add(name, value);
            }
        }

        return tags;
    }

    private static long ToTimestampUnits(TimeSpan span, TimeProvider clock)
    {
        var units = span.Ticks * (clock.TimestampFrequency / (double)TimeSpan.TicksPerSecond);

        // The comparison is not for show: before .NET 9 the cast of a larger value wraps around.
        return span == System.Threading.Timeout.InfiniteTimeSpan || units >= long.MaxValue ? long.MaxValue : (long)units;
    }
}
