using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Execution;

/// <summary>The ways in which a leader leaves its flight before the flight has landed.</summary>
internal static class LeaderExit
{
    /// <summary>Gives the flight up before its callback has begun. Its followers elect another leader.</summary>
    public static void Resign<TResult>(Flight<TResult> flight)
    {
        flight.Resign(flight.Rules.Clock.Now).Act();
        flight.End();
    }

    /// <summary>
    /// Ends the part of a leader whose flight closed, or whose token fired, while it was on its thread. Takes the gate: the thread that closes the
    /// flight may still be handing its key to a successor, and is done with it then.
    /// </summary>
    public static Outcome<TResult> LetGo<TResult>(ExecutionParts parts, Flight<TResult> flight, ResilienceContext leader)
    {
        var age = flight.Age;
        LeaderState before;
        int joined;
        using (flight.Stripe.Gate.Enter())
        {
            before = flight.LetLeaderGo_NeedsLock();
            joined = flight.Joined;
        }

        Note(parts, new SingleFlightResult(SingleFlightRole.Leader, joined, flight.Id, age), leader);
        if (before == LeaderState.Abandoning)
        {
            parts.Telemetry.Abandoned(leader, flight);
        }

        return before is LeaderState.Leaving or LeaderState.Abandoning
            ? Outcomes.Canceled<TResult>(leader)
            : Outcome.FromException<TResult>(parts.CreateCancellation());
    }

    /// <summary>Notes in the context of a leader, and counts, that it was let go while its callback goes on. Does not throw.</summary>
    public static void Note(ExecutionParts parts, SingleFlightResult result, ResilienceContext leader)
    {
        try
        {
            leader.Properties.Set(ContextProperties.Participation, result);
        }
        catch (Exception)
        {
            // Properties that cannot be written cost the leader its result, and keep it from nothing else.
        }

        if (SingleFlightInstruments.CountsExecutions)
        {
            parts.Count(result);
        }
    }
}
