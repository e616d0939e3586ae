namespace Polly.SingleFlight.Flights;

/// <summary>The followers as a ring, so that each can be taken out at once and they are served in the order they came.</summary>
internal sealed partial class Flight<TResult>
{
    /// <summary>The first of the ring.</summary>
    private Waiter<TResult>? _followers;

    /// <summary>Ends where the ring is taken apart meanwhile, and after as many as there are callers.</summary>
    public override List<object> FollowersSeen
    {
        get
        {
            var seen = new List<object>();
            var first = _followers;
            for (var waiter = first; waiter is not null && seen.Count < Joined; waiter = waiter.Next == first ? null : waiter.Next)
            {
                seen.Add(waiter);
            }

            return seen;
        }
    }

    private Waiter<TResult>? TakeFollowers_NeedsLock()
    {
        Stripe.Gate.AssertIsHeld();
        var followers = _followers;
        _followers = null;
        return followers;
    }

    /// <summary>Takes out the followers that joined too late to get the outcome, as a ring of their own; null for none, as nearly always.</summary>
    private Waiter<TResult>? TakeLate_NeedsLock()
    {
        Stripe.Gate.AssertIsHeld();
        var lastJoin = LastJoin_NeedsLock();
        if (lastJoin == long.MaxValue || _followers is not { } first)
        {
            return null;
        }

        // They are the last of the ring, in the order they came.
        var late = first;
        while (late.JoinedAt <= lastJoin)
        {
            late = late.Next!;
            if (late == first)
            {
                return null;
            }
        }

        var last = first.Previous!;
        if (late == first)
        {
            _followers = null;
            return late;
        }

        (first.Previous, late.Previous!.Next) = (late.Previous, first);
        (late.Previous, last.Next) = (last, late);
        return late;
    }

    private void Append_NeedsLock(Waiter<TResult> waiter)
    {
        Stripe.Gate.AssertIsHeld();
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
        Stripe.Gate.AssertIsHeld();
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
