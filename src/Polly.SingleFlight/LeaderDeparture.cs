namespace Polly.SingleFlight;

/// <summary>
/// What happens to a flight when its leader, the caller whose callback runs, leaves while others still wait.
/// </summary>
public enum LeaderDeparture
{
    /// <summary>
    /// The flight goes on with the leader's callback for as long as anyone waits. The default.
    /// </summary>
    Detach = 0,

    /// <summary>
    /// The leader's callback is cancelled and the callback of one of the remaining callers runs instead, at most
    /// <see cref="SingleFlightStrategyOptions.MaxElections"/> times per caller. Choose this when callbacks capture
    /// something that ends with their caller, such as a scoped service.
    /// </summary>
    HandOver = 1,
}
