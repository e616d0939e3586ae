using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Execution;

/// <summary>What few followers have: somebody who listens to activities, or a strategy outside.</summary>
internal sealed class FollowerExtras
{
    public FollowerSpan? Span { get; private init; }

    /// <summary>What is to be done inside, should the follower make the call after all.</summary>
    public FlightInterceptor? Interceptor { get; set; }

    public static FollowerExtras? Of(FollowerSpan? span) => span is null ? null : new() { Span = span };
}
