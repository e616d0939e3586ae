namespace Polly.SingleFlight.Flights;

/// <summary>What a callback's end brings about, to be done outside the lock.</summary>
/// <param name="TooLate">The flight had closed before: nobody waits for this outcome.</param>
/// <param name="Followers">The ring of those the outcome is for, besides the leader.</param>
/// <param name="Election">Who goes on instead, when the outcome is the leader's own cancellation, and when it is not for those who joined last.</param>
/// <param name="Now">The time of the landing, by the flight's clock.</param>
/// <param name="IsDeferred">The flight has followers and goes on, until the outcome is ready to be shared.</param>
/// <param name="Leader">The wait of the leader, if it was taken (L1).</param>
internal readonly record struct Landing<TResult>(
    bool TooLate, Waiter<TResult>? Followers, Election<TResult>? Election, long Now, bool IsDeferred = false, LeaderWait<TResult>? Leader = null);
