namespace Polly.SingleFlight.Flights;

/// <summary>
/// A caller's part in a flight, kept in its context in place of a <see cref="SingleFlightResult"/> so that callers who
/// never ask for the result do not pay for it.
/// </summary>
internal interface IParticipation
{
    /// <summary>The flight; null when the caller ran alone, and when only the result is left.</summary>
    Flight? Flight => null;

    /// <summary>The result, or null while the caller is still waiting.</summary>
    SingleFlightResult? ToResult();
}
