namespace Polly.SingleFlight;

/// <summary>
/// Arguments of <see cref="SingleFlightStrategyOptions.OnFlightStarted"/>.
/// </summary>
public readonly struct OnFlightStartedArguments
{
    /// <summary>Initializes a new instance of the <see cref="OnFlightStartedArguments"/> struct.</summary>
    /// <param name="context">The context the event belongs to.</param>
    /// <param name="flightId">The flight's number, unique within the process.</param>
    /// <param name="callerCount">The number of callers so far: 1, or those who elected the leader of a flight that follows another.</param>
    public OnFlightStartedArguments(ResilienceContext context, long flightId, int callerCount)
    {
        Context = context;
        FlightId = flightId;
        CallerCount = callerCount;
    }

    /// <summary>Gets the context this is about; do not keep it, it goes back to a pool.</summary>
    public ResilienceContext Context { get; }

    /// <summary>Gets the flight's number, unique within the process.</summary>
    public long FlightId { get; }

    /// <summary>Gets the number of callers so far: 1, or those who elected the leader of a flight that follows another.</summary>
    public int CallerCount { get; }
}
