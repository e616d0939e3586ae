using System.Diagnostics;

namespace Polly.SingleFlight.Telemetry;

/// <summary>What a follower's activity needs to know from its beginning.</summary>
/// <param name="Started">When it began to wait.</param>
/// <param name="Parent">The activity of the caller.</param>
internal sealed record FollowerSpan(DateTimeOffset Started, ActivityContext Parent);
