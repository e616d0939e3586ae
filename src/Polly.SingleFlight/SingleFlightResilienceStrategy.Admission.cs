using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight;

internal sealed partial class SingleFlightResilienceStrategy
{
    /// <summary>Joins the flight of the key, or inserts a new one. Throws what the comparer or the clock throws, and has changed nothing then.</summary>
    private Admission<TResult> Admit<TResult, TState>(
        object key,
        Attachment? attachment,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state)
    {
        var hash = _table.Hash(key);
        var now = Clock.GetTimestamp();
        var origin = _detectReentrancy ? CallOrigin.Of(context) : default;
        if (origin.IsNone)
        {
            return Admit(key, attachment, hash, now, origin, callback, context, state);
        }

        // The search and the edge it allows must be one step, or two flows that cross would miss each other (S11).
        lock (WaitGraph.Gate)
        {
            var admission = Admit(key, attachment, hash, now, origin, callback, context, state);
            if (admission.Waiter is { } waiter)
            {
                origin.AddEdges_NeedsLock(waiter);
            }
            else if (admission.Flight is { } flight)
            {
                WaitGraph.Nest_NeedsLock(flight, origin);
            }

            return admission;
        }
    }

    private Admission<TResult> Admit<TResult, TState>(
        object key,
        Attachment? attachment,
        int hash,
        long now,
        in CallOrigin origin,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state)
    {
        var stripe = _table.StripeOf(hash);
        lock (stripe.Gate)
        {
            var flight = stripe.Find_NeedsLock<TResult>(hash, key, Realm);
            if (flight is not null && IsFreshEnough(flight, now))
            {
                if (!origin.IsNone && WaitGraph.WouldDeadlock_NeedsLock(flight, origin))
                {
                    return default;
                }

                var waiter = new Caller<TResult, TState>(this, flight, callback, context, state, now, isLeader: false) { Attachment = attachment };
                flight.Join_NeedsLock(waiter);
                return new Admission<TResult>(flight, waiter, flight.Joined);
            }

            if (flight is not null)
            {
                stripe.Remove_NeedsLock(flight);
            }

            flight = new Flight<TResult>(this, stripe, hash, key, now) { Attachment = attachment };
            stripe.Insert_NeedsLock(flight);
            return new Admission<TResult>(flight, null, 1);
        }
    }

    /// <summary>
    /// S9: the joiner's limit decides. The age of a flight that was started on another clock cannot be known here, and
    /// when in doubt it is too old.
    /// </summary>
    private bool IsFreshEnough(Flight flight, long now) =>
        _maxJoinAge == long.MaxValue
        || (ReferenceEquals(flight.Strategy.Clock, Clock) && now - flight.StartTimestamp <= _maxJoinAge);
}
