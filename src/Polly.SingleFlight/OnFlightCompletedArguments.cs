namespace Polly.SingleFlight;

/// <summary>
/// Arguments of <see cref="SingleFlightStrategyOptions.OnFlightCompleted"/>.
/// </summary>
public readonly struct OnFlightCompletedArguments
{
    /// <summary>Initializes a new instance of the <see cref="OnFlightCompletedArguments"/> struct.</summary>
    /// <param name="context">The context the event belongs to.</param>
    /// <param name="flightId">The flight's number, unique within the process.</param>
    /// <param name="callerCount">The number of callers that joined in all, those who left early included.</param>
    public OnFlightCompletedArguments(ResilienceContext context, long flightId, int callerCount)
    {
        Context = context;
        FlightId = flightId;
        CallerCount = callerCount;
    }

    /// <summary>Gets the context this is about; do not keep it, it goes back to a pool.</summary>
    public ResilienceContext Context { get; }

    /// <summary>Gets the flight's number, unique within the process.</summary>
    public long FlightId { get; }

    /// <summary>Gets the number of callers that joined in all, those who left early included.</summary>
    public int CallerCount { get; }
}
