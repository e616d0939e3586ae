namespace Polly.SingleFlight.Flights;

/// <summary>The wait of a leader whose callback has yielded, and which its token, its group or the landing of its flight ends.</summary>
/// <remarks>
/// L1 - The party that takes the wait out of its flight, under the gate, lets the leader go, and no other party touches the leader from then on. A
/// registration on the leader's token is that of the flight, which finds no wait when it comes too late, so the wait itself may be used again.
/// </remarks>
internal abstract class LeaderWait<TResult>
{
    private TaskCompletionSource? _left;

    /// <summary>The leader's own context; only for the leader itself and, later, the party that has taken the wait (I6).</summary>
    public ResilienceContext Context { get; protected set; } = null!;

    /// <summary>Ends when the leader is let go by another party than the landing. Asked for by the landing alone.</summary>
    public Task Left_NeedsLock => (_left ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>Lets the leader go before its flight has landed, or before it is served. Its continuation does not run on this stack.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <param name="now">The time by the flight's clock.</param>
    public void LetGo(in Outcome<TResult> outcome, long now)
    {
        OnLetGo(outcome, now);
        _left?.SetResult();
    }

    /// <summary>Makes the wait ready to be another leader's.</summary>
    protected void Reset()
    {
        Context = null!;
        _left = null;
    }

    /// <summary>Removes the registration on the leader's token and completes the wait. Does not throw.</summary>
    protected abstract void OnLetGo(in Outcome<TResult> outcome, long now);
}
