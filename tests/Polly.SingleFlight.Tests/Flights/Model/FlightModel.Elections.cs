namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>Who goes on when the leader, or its outcome, is not for the followers.</summary>
internal sealed partial class FlightModel
{
    private bool CloseAndElect(ModelFlight flight, bool counts)
    {
        var hadKey = flight.IsInTable;
        ModelCaller[] followers = [.. flight.Followers];
        Close(flight);
        return Elect(flight, followers, hadKey, counts);
    }

    private bool Elect(ModelFlight flight, IEnumerable<ModelCaller> followers, bool takesKey, bool counts)
    {
        var electable = new List<ModelCaller>();
        var isAnyAlone = false;
        foreach (var follower in followers)
        {
            if (follower.IsClaimed || follower.HasFired)
            {
                continue;
            }

            follower.Elections += counts ? 1 : 0;
            if (follower.Elections <= follower.Rules.MaxElections)
            {
                electable.Add(follower);
                continue;
            }

            follower.IsAlone = true;
            follower.IsRunRequested = true;
            isAnyAlone = true;
            Notes.Add($"caller {follower.Number} is sent to run alone");
        }

        if (electable.Count == 0)
        {
            return isAnyAlone;
        }

        var leader = electable.Find(static caller => caller.IsReady) ?? electable[0];
        var successor = new ModelFlight(Flights.Count, flight.Key, flight.IsText, leader.Rules)
        {
            Leader = leader,
            Joined = electable.Count,
            IsInTable = takesKey,
            Fired = [.. flight.Fired],
        };
        Flights.Add(successor);
        electable.ForEach(caller => caller.Flight = successor);
        successor.Followers.AddRange(electable.Where(caller => caller != leader));
        leader.IsClaimed = true;
        leader.IsRunRequested = true;
        Notes.Add($"caller {leader.Number} is elected to lead flight {successor.Number}");
        return true;
    }
}
