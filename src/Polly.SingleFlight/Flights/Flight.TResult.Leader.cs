using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>The leader of the flight, once its callback has yielded, and how it leaves: S4 and S5.</summary>
internal sealed partial class Flight<TResult>
{
    /// <summary>The leader's wait; null while its callback runs synchronously, and when a party has taken it to let the leader go (L1).</summary>
    private LeaderWait<TResult>? _leader;

    /// <summary>Gives the leader a wait of its own once its callback has yielded; false if it has left or was let go already.</summary>
    public bool TrySetLeader(LeaderWait<TResult> leader)
    {
        using (Stripe.Gate.Enter())
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

    /// <summary>Gives the leader a wait of its own after its flight has landed, while the followers are served.</summary>
    public void SetLandedLeader(LeaderWait<TResult> leader)
    {
        using (Stripe.Gate.Enter())
        {
            AssertInvariants_NeedsLock();
            Debug.Assert(IsClosed && !LeaderLeft, "The leader of a flight that landed is still there.");
            _leader = leader;
        }
    }

    /// <summary>Takes the leader's wait, to let the leader go (L1); null if another party has taken it.</summary>
    public LeaderWait<TResult>? TakeLeader()
    {
        using (Stripe.Gate.Enter())
        {
            return TakeLeader_NeedsLock();
        }
    }

    /// <summary>Ends when another party than the landing lets the waiting leader go; null if the leader does not wait.</summary>
    public Task? WhenLeaderLeaves()
    {
        using (Stripe.Gate.Enter())
        {
            return _leader?.Left_NeedsLock;
        }
    }

    /// <summary>The leader's token fired. Does nothing if the leader has left, or was let go, before.</summary>
    public void OnLeaderTokenFired(CancellationToken token)
    {
        var now = Rules.Clock.Now;
        LeaderWait<TResult>? wait;
        var departure = default(Departure<TResult>);
        using (Stripe.Gate.Enter())
        {
            wait = TakeLeader_NeedsLock();
            if (!IsClosed && !LeaderLeft)
            {
                Leader = wait is null ? LeaderState.Leaving : LeaderState.Left;
                departure = Depart_NeedsLock(isLeader: true, now, token);
                Leader = wait is null && departure.Abandoned is not null ? LeaderState.Abandoning : Leader;
            }
        }

        departure.Act(wait?.Context);
        wait?.LetGo(Outcomes.Canceled<TResult>(wait.Context), now);
    }

    private LeaderWait<TResult>? TakeLeader_NeedsLock()
    {
        Stripe.Gate.AssertIsHeld();
        var leader = _leader;
        _leader = null;
        return leader;
    }

    /// <summary>A caller has gone: the last closes the flight, and a leader may hand it over.</summary>
    private Departure<TResult> Depart_NeedsLock(bool isLeader, long now, CancellationToken token)
    {
        Stripe.Gate.AssertIsHeld();
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
}
