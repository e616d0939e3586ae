using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Execution;

/// <summary>What a caller is to do: follow with a waiter, lead a flight, or, with neither, run alone because it would wait for itself.</summary>
internal readonly record struct Admission<TResult>(Flight<TResult>? Flight, Waiter<TResult>? Waiter, int CallerCount)
{
    /// <summary>Joins the flight of the key, or inserts a new one. Throws what the comparer or the clock throws, and has changed nothing then.</summary>
    public static Admission<TResult> Admit<TState>(ExecutionParts parts, object key, Attachment? attachment, in Call<TResult, TState> call)
    {
        var hash = parts.Table.Hash(key);
        var now = parts.Now;
        if (!parts.Rules.DetectReentrancy || !CallOrigin.TryFind(call.Context, out var origin))
        {
            return JoinOrStart(parts, key, attachment, hash, now, default, call);
        }

        // The search and the edge it allows must be one step, or two flows that cross would miss each other (S11).
        lock (WaitGraph.Gate)
        {
            var admission = JoinOrStart(parts, key, attachment, hash, now, origin, call);
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

    private static Admission<TResult> JoinOrStart<TState>(
        ExecutionParts parts, object key, Attachment? attachment, int hash, long now, in CallOrigin origin, in Call<TResult, TState> call)
    {
        var rules = parts.Rules;
        var stripe = parts.Table.StripeOf(hash);
        using (stripe.Gate.Enter())
        {
            var flight = stripe.Find_NeedsLock<TResult>(hash, key, rules.Realm);
            if (flight is not null && IsFreshEnough(flight, rules, now))
            {
                if (origin.Innermost is not null && WaitGraph.WouldDeadlock_NeedsLock(flight, origin))
                {
                    return default;
                }

                var waiter = new Caller<TResult, TState>(parts, flight, call, now) { Attachment = attachment };
                flight.Join_NeedsLock(waiter);
                return new Admission<TResult>(flight, waiter, flight.Joined);
            }

            if (flight is not null)
            {
                stripe.Remove_NeedsLock(flight);
            }

            flight = new Flight<TResult>(rules, stripe, hash, key, now) { Attachment = attachment };
            stripe.Insert_NeedsLock(flight);
            return new Admission<TResult>(flight, null, 1);
        }
    }

    /// <summary>
    /// The joiner's limit decides (S9). The age of a flight that was started on another clock cannot be known here, and when in doubt it is
    /// too old.
    /// </summary>
    private static bool IsFreshEnough(Flight flight, FlightRules rules, long now) =>
        rules.MaxJoinAge == long.MaxValue
        || (ReferenceEquals(flight.Rules.Clock.Provider, rules.Clock.Provider) && now - flight.StartTimestamp <= rules.MaxJoinAge);
}
