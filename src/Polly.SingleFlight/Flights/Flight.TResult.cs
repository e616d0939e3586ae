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

    /// <summary>The leader's wait; null while its callback runs synchronously, and when it has left.</summary>
    private Waiter<TResult>? _leader;

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
        Append_NeedsLock(waiter);
        Waiters++;
        Joined++;
    }

    /// <summary>Gives the leader a wait of its own once its callback has yielded; false if it has left or was let go already.</summary>
    public bool TrySetLeader(Waiter<TResult> leader)
    {
        lock (Stripe.Gate)
        {
            AssertInvariants_NeedsLock();
            if (IsClosed || LeaderLeft)
            {
                return false;
            }

            _leader = leader;
            Leader = LeaderState.Waiting;
            return true;
        }
    }

    /// <summary>The leader's token fired. Once it has a wait of its own, that wait has its own registration.</summary>
    public void OnLeaderTokenFired(CancellationToken token)
    {
        var now = Rules.Clock.Now;
        Departure<TResult> departure;
        lock (Stripe.Gate)
        {
            if (IsClosed || LeaderLeft || _leader is not null)
            {
                return;
            }

            departure = Leave_NeedsLock(null, now, token);
            Leader = departure.Abandoned is null ? LeaderState.Leaving : LeaderState.Abandoning;
        }

        departure.Act(leaver: null);
    }

    /// <summary>Takes out a claimed waiter, or, with null, the leader whose callback runs synchronously.</summary>
    /// <param name="waiter">The waiter.</param>
    /// <param name="now">The time by the flight's clock.</param>
    /// <param name="token">The token of the caller that leaves.</param>
    public Departure<TResult> Leave_NeedsLock(Waiter<TResult>? waiter, long now, CancellationToken token)
    {
        Stripe.Gate.AssertIsHeld();
        AssertInvariants_NeedsLock();
        if (IsClosed)
        {
            return default;
        }

        var isLeader = waiter is null || waiter == _leader;
        if (isLeader)
        {
            Leader = waiter is null ? LeaderState.Leaving : LeaderState.Left;
            _leader = null;
        }
        else
        {
            Unlink_NeedsLock(waiter!);
        }

        if (--Waiters == 0)
        {
            Close_NeedsLock(now);
            return new Departure<TResult>(this, null, default);
        }

        RememberFired_NeedsLock(token);
        return isLeader && Rules.LeaderDeparture == LeaderDeparture.HandOver
            ? new Departure<TResult>(null, this, CloseAndElect_NeedsLock(now))
            : default;
    }

    /// <summary>The callback has ended: closes the flight (I3) and says who is to be given what.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <param name="now">The time by the flight's clock.</param>
    /// <param name="unlessFollowed">Leaves a flight with followers open, because its outcome is not ready to be shared.</param>
    /// <param name="leaderToken">The token of the leader, which is compared, and looked at only while the leader is there (I6).</param>
    public Landing<TResult> Land(in Outcome<TResult> outcome, long now, bool unlessFollowed, CancellationToken leaderToken)
    {
        var cancellations = Cancellations.In(outcome.Exception);
        lock (Stripe.Gate)
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

                return new Landing<TResult>(TooLate: false, null, CloseAndElect_NeedsLock(now), now);
            }

            // The flight may outlive its landing in execution contexts, its callers must not.
            var followers = TakeFollowers_NeedsLock();
            _leader = null;
            LandedWithKey = IsJoinable;
            Close_NeedsLock(now);
            return new Landing<TResult>(TooLate: false, followers, default, now);
        }
    }

    public override bool CancelByGroup()
    {
        var now = Rules.Clock.Now;
        Waiter<TResult>? followers;
        Waiter<TResult>? leader;
        lock (Stripe.Gate)
        {
            if (IsClosed)
            {
                return false;
            }

            followers = TakeFollowers_NeedsLock();
            leader = _leader;
            if (leader is not null)
            {
                Leader = LeaderState.LetGo;
            }

            _leader = null;
            Close_NeedsLock(now);
        }

        CancelOffStack();
        var outcome = Outcome.FromException<TResult>(Rules.Listener.CreateCancellation());
        foreach (var follower in new Followers<TResult>(followers))
        {
            follower.TryRelease(outcome, now);
        }

        leader?.TryRelease(outcome, now);
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
