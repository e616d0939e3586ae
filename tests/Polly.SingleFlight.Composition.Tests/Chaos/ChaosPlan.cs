namespace Polly.SingleFlight.Composition.Tests.Chaos;

/// <summary>How much of what happens; the same in every chaos test, with another seed.</summary>
internal static class ChaosPlan
{
    public const int Callers = 6000;
    public const int Keys = 15;
    public const int CallersPerTick = 20;
    public const double FaultRate = 0.25;
    public const double OutcomeRate = 0.1;
    public const double LatencyRate = 0.3;

    /// <summary>Short, so that there are enough calls to disturb.</summary>
    public const double CacheLifetime = 1.5;

    /// <summary>One caller in four has a token that fires, up to so long after it came.</summary>
    public const double LongestToken = 4;

    public static TimeSpan Tick { get; } = TimeSpan.FromMilliseconds(100);

    public static TimeSpan UpstreamTime { get; } = TimeSpan.FromMilliseconds(300);
}
