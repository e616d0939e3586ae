namespace Polly.SingleFlight;

/// <summary>
/// The part a caller played in its last execution.
/// </summary>
public enum SingleFlightRole
{
    /// <summary>The caller's own callback ran, for itself and for everybody who joined.</summary>
    Leader = 0,

    /// <summary>The caller received the outcome of another caller's callback.</summary>
    Follower = 1,

    /// <summary>The caller's own callback ran, for itself alone.</summary>
    Bypassed = 2,
}
