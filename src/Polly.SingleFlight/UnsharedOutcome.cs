namespace Polly.SingleFlight;

/// <summary>
/// What the followers of a flight do when its outcome was not shared with them.
/// </summary>
public enum UnsharedOutcome
{
    /// <summary>
    /// Every follower runs its own callback, all of them in parallel. The default.
    /// </summary>
    ExecuteIndividually = 0,

    /// <summary>
    /// One follower becomes the leader of a new flight and the others follow it, at most
    /// <see cref="SingleFlightStrategyOptions.MaxElections"/> times per caller; beyond that a caller runs its own callback.
    /// </summary>
    ElectNewLeader = 1,
}
