namespace Polly.SingleFlight.Soak;

/// <summary>What a soak has counted, while it runs or at its end.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Elapsed">How long it ran.</param>
/// <param name="Calls">Executions of a pipeline.</param>
/// <param name="Flights">Callbacks that ran as a flight.</param>
/// <param name="Followers">Callers that received another caller's outcome.</param>
/// <param name="Bypassed">Callbacks that ran alone.</param>
/// <param name="Canceled">Callers that left by their own token, or were let go by the group.</param>
/// <param name="Elections">Followers whose callback became a flight after all.</param>
/// <param name="ViolationCount">How often the oracle objected.</param>
/// <param name="Violations">The first objections.</param>
public sealed record SoakResult(
    int Seed,
    TimeSpan Elapsed,
    long Calls,
    long Flights,
    long Followers,
    long Bypassed,
    long Canceled,
    long Elections,
    long ViolationCount,
    IReadOnlyList<string> Violations)
{
    /// <summary>Gets the calls per second.</summary>
    public double CallsPerSecond => Elapsed > TimeSpan.Zero ? Calls / Elapsed.TotalSeconds : 0;
}
