namespace Polly.SingleFlight;

/// <summary>
/// Arguments of <see cref="SingleFlightStrategyOptions.OnFlightAbandoned"/>.
/// </summary>
public readonly struct OnFlightAbandonedArguments
{
    /// <summary>Initializes a new instance of the <see cref="OnFlightAbandonedArguments"/> struct.</summary>
    /// <param name="context">The context the event belongs to.</param>
    /// <param name="flightId">The flight's number, unique within the process.</param>
    /// <param name="callerCount">The number of callers that had joined, all of whom left.</param>
    public OnFlightAbandonedArguments(ResilienceContext context, long flightId, int callerCount)
    {
        Context = context;
        FlightId = flightId;
        CallerCount = callerCount;
    }

    /// <summary>Gets the context this is about; do not keep it, it goes back to a pool.</summary>
    public ResilienceContext Context { get; }

    /// <summary>Gets the flight's number, unique within the process.</summary>
    public long FlightId { get; }

    /// <summary>Gets the number of callers that had joined, all of whom left.</summary>
    public int CallerCount { get; }
}
