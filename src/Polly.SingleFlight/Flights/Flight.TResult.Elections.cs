namespace Polly.SingleFlight.Flights;

/// <summary>Who goes on when the leader, or its outcome, is not for the followers: S5, S7 and S8.</summary>
internal sealed partial class Flight<TResult>
{
    /// <summary>The leader will not run its callback; its followers, if any, elect another, which does not count as one more election.</summary>
    public Election<TResult>? Resign(long now)
    {
        using (Stripe.Gate.Enter())
        {
            return IsClosed ? null : CloseAndElect_NeedsLock(now, counts: false);
        }
    }

    /// <summary>Has the followers of a landed flight, whose outcome is not for them, elect a new leader.</summary>
    public Election<TResult>? ElectAmong(Waiter<TResult> followers, long now)
    {
        using (Stripe.Gate.Enter())
        {
            return Elect_NeedsLock(followers, IsKeyFree_NeedsLock(), counts: true, now);
        }
    }

    private bool IsKeyFree_NeedsLock()
    {
        Stripe.Gate.AssertIsHeld();
        try
        {
            return Stripe.Find_NeedsLock<TResult>(Hash, Key, Rules.Realm) is null;
        }
        catch (Exception)
        {
            // A comparer that throws: the new flight keeps to those it has (I5).
            return false;
        }
    }

    private Election<TResult>? CloseAndElect_NeedsLock(long now, bool counts = true)
    {
        Stripe.Gate.AssertIsHeld();
        var hadKey = IsJoinable;
        var followers = TakeFollowers_NeedsLock();
        Close_NeedsLock(now);
        return Elect_NeedsLock(followers, hadKey, counts, now);
    }

    /// <summary>
    /// Moves the followers to a successor that one of them leads; those elected too often will run alone, and those whose
    /// token has fired are left to their registration, which is about to let them go.
    /// </summary>
    private Election<TResult>? Elect_NeedsLock(Waiter<TResult>? followers, bool takeKey, bool counts, long now)
    {
        Stripe.Gate.AssertIsHeld();
        var electable = new List<Waiter<TResult>>();
        Waiter<TResult>? alone = null;
        foreach (var waiter in new Followers<TResult>(followers))
        {
            if (waiter.IsClaimed || waiter.IsLeaving)
            {
                continue;
            }

            waiter.Elections += counts ? 1 : 0;
            if (waiter.Elections <= waiter.Rules.MaxElections)
            {
                electable.Add(waiter);
                continue;
            }

            waiter.AloneBecause = BypassReason.Election;
            waiter.Next = alone;
            alone = waiter;
        }

        var leader = StartSuccessor_NeedsLock(electable, takeKey, now);
        return leader is null && alone is null ? null : new Election<TResult>(leader, alone);
    }

    private Waiter<TResult>? StartSuccessor_NeedsLock(List<Waiter<TResult>> electable, bool takeKey, long now)
    {
        Stripe.Gate.AssertIsHeld();
        // One that has finished setting up, if there is one, so that nobody waits for another caller's event callback.
        var leader = electable.Find(static waiter => waiter.IsReady) ?? electable.FirstOrDefault();
        if (leader is null || !leader.TryClaim())
        {
            return null;
        }

        var key = Key is IntrinsicKey intrinsic ? intrinsic.For(leader.Attachment) : Key;
        var start = ReferenceEquals(leader.Rules.Clock.Provider, Rules.Clock.Provider) ? now : Flight.NotStarted;
        var successor = new Flight<TResult>(leader.Rules, Stripe, Hash, key, start) { Attachment = leader.Attachment, FiredTokens = FiredTokens };
        if (Span is { } span)
        {
            // Until the successor has a span of its own, this is the one that was waited for.
            successor.Span = span;
        }

        foreach (var waiter in electable)
        {
            waiter.Flight = successor;
            if (waiter != leader)
            {
                successor.Join_NeedsLock(waiter);
            }
        }

        if (takeKey)
        {
            Stripe.Insert_NeedsLock(successor);
        }

        return leader;
    }
}
