using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>
/// One execution shared by its callers. See <see cref="Flight"/> for the invariants; decisions are made here under the
/// gate of the stripe and carried out by the caller outside it.
/// </summary>
internal sealed partial class Flight<TResult> : Flight
{
    private static readonly Type s_resultType =
        typeof(TResult).Assembly == typeof(ResilienceContext).Assembly && typeof(TResult).Name == "VoidResult"
            ? typeof(void)
            : typeof(TResult);

    public Flight(FlightRules rules, FlightStripe stripe, int hash, object key, long now)
        : base(rules, stripe, hash, key, now)
    {
    }

    public override Type ResultType => s_resultType;

    public void Join_NeedsLock(Waiter<TResult> waiter)
    {
        Stripe.Gate.AssertIsHeld();
        AssertInvariants_NeedsLock();
        Debug.Assert(!IsClosed, "I2: a closed flight refuses to be joined.");
        waiter.JoinedAt = TimeOfJoin_NeedsLock();
        Append_NeedsLock(waiter);
        Waiters++;
        Joined++;
    }

    /// <summary>Takes out a claimed follower.</summary>
    /// <param name="waiter">The follower.</param>
    /// <param name="now">The time by the flight's clock.</param>
    /// <param name="token">The token of the follower.</param>
    public Departure<TResult> Leave_NeedsLock(Waiter<TResult> waiter, long now, CancellationToken token)
    {
        Stripe.Gate.AssertIsHeld();
        AssertInvariants_NeedsLock();
        if (IsClosed)
        {
            return default;
        }

        Unlink_NeedsLock(waiter);
        return Depart_NeedsLock(isLeader: false, now, token);
    }

    /// <summary>The callback has ended: closes the flight (I3) and says who is to be given what.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <param name="now">The time by the flight's clock.</param>
    /// <param name="unlessFollowed">Leaves a flight with followers open, because its outcome is not ready to be shared.</param>
    /// <param name="leaderToken">The token of the leader, which is compared, and looked at only while the leader is there (I6).</param>
    /// <param name="servesFirst">Whether the leader can still leave while the outcome is given to followers. Else its wait is taken, if it has one.</param>
    public Landing<TResult> Land(in Outcome<TResult> outcome, long now, bool unlessFollowed, CancellationToken leaderToken, bool servesFirst = false)
    {
        var cancellations = Cancellations.In(outcome.Exception);
        using (Stripe.Gate.Enter())
        {
            AssertInvariants_NeedsLock();
            if (IsClosed)
            {
                return new Landing<TResult>(TooLate: true, null, default, now);
            }

            if (unlessFollowed && _followers is not null)
            {
                return new Landing<TResult>(TooLate: false, null, default, now, IsDeferred: true);
            }

            if (_followers is not null && outcome.Exception is { } exception && IsForeign_NeedsLock(exception, cancellations, leaderToken))
            {
                if (!LeaderLeft)
                {
                    RememberFired_NeedsLock(leaderToken);
                }

                var leaderOfLost = TakeLeader_NeedsLock();
                return new Landing<TResult>(TooLate: false, null, CloseAndElect_NeedsLock(now), now, Leader: leaderOfLost);
            }

            // The flight may outlive its landing in execution contexts, its callers must not.
            var late = TakeLate_NeedsLock();
            var followers = TakeFollowers_NeedsLock();
            LandedWithKey = IsJoinable;
            var leader = servesFirst && followers is not null ? null : TakeLeader_NeedsLock();
            Close_NeedsLock(now);
            return new Landing<TResult>(
                TooLate: false, followers, late is null ? null : Elect_NeedsLock(late, LandedWithKey, counts: false, now), now, Leader: leader);
        }
    }

    public override bool CancelByGroup()
    {
        var now = Rules.Clock.Now;
        Waiter<TResult>? followers;
        LeaderWait<TResult>? leader;
        using (Stripe.Gate.Enter())
        {
            if (IsClosed)
            {
                return false;
            }

            followers = TakeFollowers_NeedsLock();
            leader = TakeLeader_NeedsLock();
            if (leader is not null)
            {
                Leader = LeaderState.LetGo;
            }

            Close_NeedsLock(now);
        }

        CancelOffStack();
        var outcome = Outcome.FromException<TResult>(Rules.Listener.CreateCancellation());
        foreach (var follower in new Followers<TResult>(followers))
        {
            follower.TryRelease(outcome, now);
        }

        leader?.LetGo(outcome, now);
        return true;
    }

    protected override void AssertInvariants_NeedsLock()
    {
        base.AssertInvariants_NeedsLock();
        Debug.Assert(!(LeaderLeft && _leader is not null), "I2: a leader that left does not wait.");
        Debug.Assert(IsClosed || Waiters > 1 == (_followers is not null) || LeaderLeft, "I2: whoever waits besides the leader is in the ring.");
        Debug.Assert(IsClosed || !LeaderLeft || _followers is not null, "I2: without its leader an open flight has followers.");
    }
}
