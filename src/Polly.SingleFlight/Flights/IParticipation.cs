namespace Polly.SingleFlight.Flights;

/// <summary>
/// A caller's part in a flight, kept in its context in place of a <see cref="SingleFlightResult"/> so that callers who
/// never ask for the result do not pay for it.
/// </summary>
internal interface IParticipation
{
    /// <summary>Whether this is a follower that waits, so that whatever is done with the outcome is its leader's business.</summary>
    bool IsWaitingFollower => false;

    /// <summary>The result, or null while the caller is still waiting.</summary>
    SingleFlightResult? ToResult();
}
