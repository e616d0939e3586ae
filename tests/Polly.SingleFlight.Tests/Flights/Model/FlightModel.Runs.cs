namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>What becomes of a flight while and after its callback runs.</summary>
internal sealed partial class FlightModel
{
    public void Lead(int caller)
    {
        var leader = Callers[caller];
        var flight = leader.Flight;
        leader.Leads = flight;
        if (leader.HasFired)
        {
            GiveUp(flight);
            leader.Outcome = ModelCaller.OwnCancellation;
            Notes.Add($"caller {caller} gives flight {flight.Number} up");
        }
        else if (flight.IsClosed)
        {
            flight.Stage = ModelStage.Ended;
            LetGo(leader, flight);
        }
        else
        {
            flight.Stage = ModelStage.Running;
        }
    }

    public bool Yield(int caller)
    {
        var leader = Callers[caller];
        var flight = leader.Leads!;
        flight.Stage = ModelStage.Yielded;
        flight.IsSeated = !flight.IsClosed && !flight.LeaderLeft;
        if (!flight.IsSeated)
        {
            LetGo(leader, flight);
        }

        return flight.IsSeated;
    }

    public LandingAnswer Land(int caller, Ending ending, int other, bool isPrepared)
    {
        var leader = Callers[caller];
        var flight = leader.Leads!;
        var fired = Callers.FindAll(static caller => caller.HasFired);
        var among = fired.Count > 0 ? fired : Callers;
        var carried = ending switch
        {
            Ending.CancellationOfLeader => leader,
            Ending.CancellationOfOther => among[other % among.Count],
            _ => null,
        };
        var isFollowed = flight is { IsClosed: false, Followers.Count: > 0 };
        var isForeign = isFollowed && IsForeign(flight, ending, carried);
        var mayTurnOutForeign = isFollowed && !isForeign && leader.HasToken && carried is { HasFired: true };
        if (isPrepared && isFollowed)
        {
            return new LandingAnswer(mayTurnOutForeign, IsTooLate: false, IsDeferred: true, HasFollowers: false, HasElection: false);
        }

        flight.Stage = ModelStage.Landed;
        flight.LandedTooLate = flight.IsClosed;
        var hasElection = false;
        if (isForeign)
        {
            Notes.Add($"the outcome of flight {flight.Number} is its leader's alone");
            if (!flight.LeaderLeft)
            {
                Remember(flight, leader);
            }

            hasElection = CloseAndElect(flight, counts: true);
        }
        else if (!flight.IsClosed)
        {
            flight.ToServe.AddRange(flight.Followers);
            Close(flight);
        }

        flight.IsLeaderTaken = flight.IsSeated && flight.ToServe.Count == 0;
        NoteIf(flight.LandedTooLate, $"flight {flight.Number} lands too late");
        return new LandingAnswer(mayTurnOutForeign, flight.LandedTooLate, IsDeferred: false, flight.ToServe.Count > 0, hasElection);
    }

    public void Serve(int caller, bool isShared)
    {
        var leader = Callers[caller];
        var flight = leader.Leads!;
        if (!isShared && flight.ToServe.Count > 0)
        {
            Notes.Add($"the outcome of flight {flight.Number} is not shared");
            Elect(flight, flight.ToServe, Find(flight.Key, flight.IsText, flight.Rules.Realm) is null, counts: true);
        }

        foreach (var follower in isShared ? flight.ToServe.FindAll(static follower => !follower.IsClaimed) : [])
        {
            Notes.Add($"caller {follower.Number} is served");
            Release(follower, leader.OfCallback);
        }

        flight.ToServe.Clear();
        flight.Stage = ModelStage.Ended;
        if (leader.Outcome is not null)
        {
            return;
        }

        if (flight.IsSeated)
        {
            Release(leader, leader.OfCallback);
        }
        else if (flight.LandedTooLate || flight.LeaderLeft)
        {
            LetGo(leader, flight);
        }
        else
        {
            leader.Outcome = leader.OfCallback;
        }
    }

    public bool RunAlone(int caller)
    {
        var alone = Callers[caller];
        alone.RanAlone = true;
        if (alone.IsClaimed)
        {
            return false;
        }

        Notes.Add($"caller {caller} runs alone");
        alone.IsClaimed = true;
        alone.Outcome = alone.OfCallback;
        return true;
    }

    public void Resign(int caller)
    {
        var leader = Callers[caller];
        Notes.Add($"caller {caller} forfeits flight {leader.Leads!.Number}");
        GiveUp(leader.Leads);
        leader.Outcome = leader.OfCallback;
    }

    private static bool IsForeign(ModelFlight flight, Ending ending, ModelCaller? carried) => ending switch
    {
        Ending.Result or Ending.Failure or Ending.TimeOut => false,
        Ending.LossOfLeader => flight.LeaderLeft,
        _ => flight.LeaderLeft || (carried is { HasFired: true } && (flight.Fired.Contains(carried) || flight.Followers.Contains(carried))),
    };

    private void GiveUp(ModelFlight flight)
    {
        if (!flight.IsClosed)
        {
            CloseAndElect(flight, counts: false);
        }

        flight.Stage = ModelStage.Ended;
    }

    private void LetGo(ModelCaller leader, ModelFlight flight)
    {
        if (flight.LeaderAbandons)
        {
            Abandoned.Add((flight.Number, leader.Number));
        }

        leader.Outcome = flight.LeaderLeft ? ModelCaller.OwnCancellation : ModelCaller.GroupCancellation;
    }
}
