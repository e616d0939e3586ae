namespace Polly.SingleFlight.Flights;

/// <summary>What a debugger shows of a follower's wait; see <see cref="SingleFlightGroupDebugView"/>.</summary>
internal sealed class WaiterDebugView<TResult>(Waiter<TResult> waiter)
{
    public FlightDebugView Flight => new(waiter.Flight);

    /// <summary>Whether a party has taken it, to let the caller go.</summary>
    public bool IsClaimed => waiter.IsClaimed;

    /// <summary>Whether the caller has finished setting up.</summary>
    public bool IsReady => waiter.IsReady;

    /// <summary>Whether the caller has a token that can end its wait.</summary>
    public bool CanLeave => waiter.CanLeave;

    /// <summary>How often the caller was elected or handed over.</summary>
    public int Elections => waiter.Elections;

    /// <summary>Why the caller runs its own callback; null if it waits.</summary>
    public BypassReason? AloneBecause => waiter.AloneBecause;
}
