namespace Polly.SingleFlight.Flights;

/// <summary>S8: whose cancellation it is that a callback ended in. Decided by the tokens and time-outs in its exception.</summary>
internal sealed partial class Flight<TResult>
{
    /// <summary>Callers may come and go for as long as the flight lasts, and a callback that dies of a token does so soon after it fired.</summary>
    private const int FiredTokensKept = 16;

    /// <summary>
    /// Whether a cancellation that looks like the callback's own may still turn out to be its leader's. A source calls its registrations one
    /// after another, so a callback that captured the source's token may hear of it before the leader's own token does, where that is
    /// linked to the source, as an outer timeout's is.
    /// </summary>
    public bool MayTurnOutForeign(Exception? exception, CancellationToken leaderToken)
    {
        if (exception is null || !leaderToken.CanBeCanceled || Cancellations.In(exception) is not { AreUnexplained: true, HaveFired: true } cancellations)
        {
            return false;
        }

        using (Stripe.Gate.Enter())
        {
            return !IsClosed && _followers is not null && !IsForeign_NeedsLock(exception, cancellations, leaderToken);
        }
    }

    /// <summary>
    /// Whether the outcome is the leader's alone. It is if the exception carries the token of a caller that has gone, or is about to; and
    /// if the leader has gone and the exception is, or comes from, a cancellation that is not a time-out: its token may be linked to the leader's. What else
    /// a leader may take away by leaving is for the kind of result to say.
    /// </summary>
    private bool IsForeign_NeedsLock(Exception exception, Cancellations? cancellations, CancellationToken leaderToken)
    {
        Stripe.Gate.AssertIsHeld();
        if (LeaderLeft && Rules.Listener.IsLossOfLeader(exception))
        {
            return true;
        }

        // The leader has not returned while the flight is open and it has not left, so its token may be looked at.
        return cancellations is not null
            && (LeaderLeft || leaderToken.IsCancellationRequested
                ? cancellations.AreUnexplained || cancellations.Carry(leaderToken) || CarryFired_NeedsLock(cancellations)
                : CarryFired_NeedsLock(cancellations));
    }

    /// <summary>Whether they carry the token of a caller that has left, or of a follower that its registration is about to let go.</summary>
    private bool CarryFired_NeedsLock(Cancellations cancellations)
    {
        Stripe.Gate.AssertIsHeld();
        if (FiredTokens?.Exists(cancellations.Carry) == true)
        {
            return true;
        }

        if (!cancellations.HaveFired || _followers is not { } first)
        {
            return false;
        }

        var follower = first;
        do
        {
            if (follower.IsLeaving && cancellations.Carry(follower.Context.CancellationToken))
            {
                return true;
            }

            follower = follower.Next!;
        }
        while (follower != first);
        return false;
    }

    private void RememberFired_NeedsLock(CancellationToken token)
    {
        Stripe.Gate.AssertIsHeld();
        if (!token.IsCancellationRequested || FiredTokens?.Contains(token) == true)
        {
            return;
        }

        FiredTokens ??= [];
        if (FiredTokens.Count == FiredTokensKept)
        {
            FiredTokens.RemoveAt(0);
        }

        FiredTokens.Add(token);
    }
}
