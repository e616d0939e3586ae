using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>
/// One execution shared by its callers. See <see cref="Flight"/> for the invariants; decisions are made here under the
/// gate of the stripe and carried out by the caller outside it.
/// </summary>
internal sealed class Flight<TResult> : Flight
{
    private static readonly Type s_resultType =
        typeof(TResult).Assembly == typeof(ResilienceContext).Assembly && typeof(TResult).Name == "VoidResult"
            ? typeof(void)
            : typeof(TResult);

    /// <summary>The followers as a ring, from the first that joined.</summary>
    private Waiter<TResult>? _followers;

    /// <summary>The leader's wait; null while its callback runs synchronously, and when it has left.</summary>
    private Waiter<TResult>? _leader;

    public Flight(SingleFlightResilienceStrategy strategy, FlightStripe stripe, int hash, object key, long now)
        : base(strategy, stripe, hash, key, now)
    {
    }

    public override Type ResultType => s_resultType;

    public void Join_NeedsLock(Waiter<TResult> waiter)
    {
        AssertInvariants_NeedsLock();
        Debug.Assert(!IsClosed, "I2: a closed flight refuses to be joined.");
        Append_NeedsLock(waiter);
        Waiters++;
        Joined++;
    }

    /// <summary>Gives the leader a wait of its own once its callback has yielded; false if it has left or was let go already.</summary>
    public bool TrySeat(Waiter<TResult> leader)
    {
        lock (Stripe.Gate)
        {
            AssertInvariants_NeedsLock();
            if (IsClosed || LeaderLeft)
            {
                return false;
            }

            _leader = leader;
            return true;
        }
    }

    /// <summary>The leader's token fired. Once it has a wait of its own, that wait has its own registration.</summary>
    public void OnLeaderTokenFired()
    {
        var now = Strategy.Clock.GetTimestamp();
        Departure<TResult> departure;
        lock (Stripe.Gate)
        {
            if (IsClosed || LeaderLeft || _leader is not null)
            {
                return;
            }

            departure = Leave_NeedsLock(null, now);
            LeaderAbandoned = departure.Abandoned is not null;
        }

        departure.Act(leaver: null);
    }

    /// <summary>Takes out a claimed waiter, or, with null, the leader whose callback runs synchronously.</summary>
    public Departure<TResult> Leave_NeedsLock(Waiter<TResult>? waiter, long now)
    {
        AssertInvariants_NeedsLock();
        if (IsClosed)
        {
            return default;
        }

        var isLeader = waiter is null || waiter == _leader;
        if (isLeader)
        {
            LeaderLeft = true;
            LeaderReturned = waiter is not null;
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

        return isLeader && Strategy.LeaderDeparture == LeaderDeparture.HandOver
            ? new Departure<TResult>(null, this, CloseAndElect_NeedsLock(now))
            : default;
    }

    /// <summary>The callback has ended: closes the flight (I3) and says who is to be given what.</summary>
    public Landing<TResult> Land(in Outcome<TResult> outcome, ResilienceContext? leaderContext, long now)
    {
        lock (Stripe.Gate)
        {
            AssertInvariants_NeedsLock();
            if (IsClosed)
            {
                return new Landing<TResult>(TooLate: true, null, default, now);
            }

            if (_followers is not null && IsForeignCancellation_NeedsLock(outcome, leaderContext))
            {
                return new Landing<TResult>(TooLate: false, null, CloseAndElect_NeedsLock(now), now);
            }

            // The flight may outlive its landing in execution contexts, its callers must not.
            var followers = TakeFollowers_NeedsLock();
            _leader = null;
            Close_NeedsLock(now);
            return new Landing<TResult>(TooLate: false, followers, default, now);
        }
    }

    /// <summary>The leader will not run its callback; its followers, if any, elect another, which does not count as one more election.</summary>
    public Election<TResult> Forfeit(long now)
    {
        lock (Stripe.Gate)
        {
            return IsClosed ? default : CloseAndElect_NeedsLock(now, counts: false);
        }
    }

    /// <summary>Has the followers of a landed flight, whose outcome is not for them, elect a new leader.</summary>
    public Election<TResult> ElectAmong(Waiter<TResult> followers, long now)
    {
        lock (Stripe.Gate)
        {
            return Elect_NeedsLock(followers, IsKeyFree_NeedsLock(), counts: true, now);
        }
    }

    public override bool CancelByGroup()
    {
        var now = Strategy.Clock.GetTimestamp();
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
            LeaderReturned = leader is not null;
            _leader = null;
            Close_NeedsLock(now);
        }

        CancelOffStack();
        var outcome = Outcome.FromException<TResult>(Strategy.Telemetry.Rejection(new FlightCanceledException()));
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

    /// <summary>
    /// S8: the callback was cancelled by a token that is neither the flight's nor any follower's, namely its leader's.
    /// The leader has not returned while the flight is open and it has not left, so its context may be read.
    /// </summary>
    private bool IsForeignCancellation_NeedsLock(in Outcome<TResult> outcome, ResilienceContext? leaderContext) =>
        outcome.Exception is OperationCanceledException
        && !IsCancellationRequested
        && (LeaderLeft || leaderContext is { CancellationToken.IsCancellationRequested: true });

    private bool IsKeyFree_NeedsLock()
    {
        try
        {
            return Stripe.Find_NeedsLock<TResult>(Hash, Key) is null;
        }
        catch (Exception)
        {
            // A comparer that throws: the new flight keeps to those it has (I5).
            return false;
        }
    }

    private Election<TResult> CloseAndElect_NeedsLock(long now, bool counts = true)
    {
        var hadKey = IsJoinable;
        var followers = TakeFollowers_NeedsLock();
        _leader = null;
        Close_NeedsLock(now);
        return Elect_NeedsLock(followers, hadKey, counts, now);
    }

    /// <summary>
    /// Moves the followers to a successor that one of them leads; those elected too often will run alone, and those whose
    /// token has fired are left to their registration, which is about to let them go.
    /// </summary>
    private Election<TResult> Elect_NeedsLock(Waiter<TResult>? followers, bool takeKey, bool counts, long now)
    {
        var electable = new List<Waiter<TResult>>();
        Waiter<TResult>? alone = null;
        foreach (var waiter in new Followers<TResult>(followers))
        {
            if (waiter.IsClaimed || waiter.IsLeaving)
            {
                continue;
            }

            waiter.Elections += counts ? 1 : 0;
            if (waiter.Elections <= waiter.Strategy.MaxElections)
            {
                electable.Add(waiter);
                continue;
            }

            waiter.AloneBecause = BypassReason.Election;
            waiter.Next = alone;
            alone = waiter;
        }

        return new Election<TResult>(StartSuccessor_NeedsLock(electable, takeKey, now), alone);
    }

    private Waiter<TResult>? StartSuccessor_NeedsLock(List<Waiter<TResult>> electable, bool takeKey, long now)
    {
        // One that has finished setting up, if there is one, so that nobody waits for another caller's event callback.
        var leader = electable.Find(static waiter => waiter.IsReady) ?? electable.FirstOrDefault();
        if (leader is null || !leader.TryClaim())
        {
            return null;
        }

        var successor = new Flight<TResult>(Strategy, Stripe, Hash, Key, now);
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

    private Waiter<TResult>? TakeFollowers_NeedsLock()
    {
        var followers = _followers;
        _followers = null;
        return followers;
    }

    private void Append_NeedsLock(Waiter<TResult> waiter)
    {
        if (_followers is not { } first)
        {
            waiter.Next = waiter;
            waiter.Previous = waiter;
            _followers = waiter;
            return;
        }

        var last = first.Previous!;
        waiter.Next = first;
        waiter.Previous = last;
        last.Next = waiter;
        first.Previous = waiter;
    }

    private void Unlink_NeedsLock(Waiter<TResult> waiter)
    {
        if (waiter.Next == waiter)
        {
            _followers = null;
        }
        else
        {
            waiter.Previous!.Next = waiter.Next;
            waiter.Next!.Previous = waiter.Previous;
            if (_followers == waiter)
            {
                _followers = waiter.Next;
            }
        }

        waiter.Next = null;
        waiter.Previous = null;
    }
}
