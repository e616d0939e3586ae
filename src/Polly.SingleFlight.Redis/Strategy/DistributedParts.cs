using Polly.SingleFlight.Redis.Telemetry;
using Polly.Telemetry;

namespace Polly.SingleFlight.Redis.Strategy;

/// <summary>What all executions of one strategy work with.</summary>
internal sealed class DistributedParts<TResult>
{
    /// <summary>Longer spans are cut to this one, since timers take no more.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromMilliseconds(int.MaxValue);

    public DistributedParts(
        RedisSingleFlightGroup group, DistributedSingleFlightStrategyOptions<TResult> options, ResilienceStrategyTelemetry telemetry, ResiliencePipelineBuilderBase builder)
    {
        Group = group;
        Builder = builder;
        Clock = builder.TimeProvider ?? TimeProvider.System;
        Telemetry = new DistributedTelemetry(telemetry, DistributedInstruments.TagsOf(options, builder));
        Unshared = new UnsharedMemory(Clock);
        HandOver = new HandOver<TResult>(options);
        Options = options;
        Version = options.Version;
        MaxJoinAge = options.MaxJoinAge;
        MaxWait = Shorter(options.MaxWait);
        Lease = options.Lease;
        CommandTimeout = Shorter(options.CommandTimeout);
    }

    public RedisSingleFlightGroup Group { get; }

    public ResiliencePipelineBuilderBase Builder { get; }

    public TimeProvider Clock { get; }

    public DistributedTelemetry Telemetry { get; }

    public UnsharedMemory Unshared { get; }

    public HandOver<TResult> HandOver { get; }

    /// <summary>For the formats of derived types, which are made when they are first asked for.</summary>
    public DistributedSingleFlightStrategyOptions<TResult> Options { get; }

    public int Version { get; }

    public TimeSpan MaxJoinAge { get; }

    public TimeSpan MaxWait { get; }

    public TimeSpan Lease { get; }

    public TimeSpan CommandTimeout { get; }

    private static TimeSpan Shorter(TimeSpan span) => span < s_longest ? span : s_longest;
}
