namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>The flights, callers and waits as the invariants and rules say they are, in plain lists.</summary>
internal sealed partial class FlightModel(ModelRules[] rules) : IFlightEngine
{
    private const int FiredKept = 16;

    public List<ModelFlight> Flights { get; } = [];

    public List<ModelCaller> Callers { get; } = [];

    /// <summary>Which flights were reported as abandoned, and by which caller.</summary>
    public List<(int Flight, int Caller)> Abandoned { get; } = [];

    /// <summary>What happened in the last step, for a reader.</summary>
    public List<string> Notes { get; } = [];

    public ModelFlight? Find(int key, bool isText, int? realm) => Flights.SingleOrDefault(flight => flight.IsInTable && flight.Has(key, isText, realm));

    public void Admit(Admit admission)
    {
        var own = rules[admission.Rules % rules.Length];
        var found = Find(admission.Key, admission.IsText, own.Realm);
        if (found is not null && !admission.FindsTooOld)
        {
            var follower = new ModelCaller(Callers.Count, own, admission.HasToken, isFollower: true, found);
            Callers.Add(follower);
            found.Followers.Add(follower);
            found.Joined++;
            Notes.Add($"caller {follower.Number} joins flight {found.Number}");
            if (admission.SettlesIn)
            {
                SettleIn(follower.Number);
            }

            return;
        }

        if (found is not null)
        {
            found.IsInTable = false;
            Notes.Add($"flight {found.Number} is superseded");
        }

        var flight = new ModelFlight(Flights.Count, admission.Key, admission.IsText, own) { Stage = ModelStage.Running, IsInTable = true };
        flight.Leader = new ModelCaller(Callers.Count, own, admission.HasToken, isFollower: false, flight);
        Flights.Add(flight);
        Callers.Add(flight.Leader);
        Notes.Add($"caller {flight.Leader.Number} starts flight {flight.Number}");
    }

    public void SettleIn(int caller)
    {
        var follower = Callers[caller];
        follower.IsReady = true;
        if (follower is { HasFired: true, IsClaimed: false })
        {
            Leave(follower);
        }
    }

    public void FireToken(int caller)
    {
        var firing = Callers[caller];
        firing.HasFired = true;
        if (firing.Leads is not { } flight)
        {
            if (firing is { IsReady: true, IsClaimed: false })
            {
                Leave(firing);
            }

            return;
        }

        if (firing.Outcome is not null)
        {
            return;
        }

        if (!flight.IsClosed)
        {
            LeaderLeaves(flight);
        }

        if (flight is { IsSeated: true, IsLeaderTaken: false })
        {
            Release(firing, ModelCaller.OwnCancellation);
        }
    }

    public bool Forget(int key)
    {
        var found = Flights.FindAll(flight => flight.IsInTable && flight.Key == key);
        found.ForEach(static flight => flight.IsInTable = false);
        NoteIf(found.Count > 0, "a flight is forgotten");
        return found.Count > 0;
    }

    public void ForgetAll() => Flights.ForEach(static flight => flight.IsInTable = false);

    public bool Cancel(int key)
    {
        var found = Flights.FindAll(flight => flight.IsInTable && flight.Key == key);
        foreach (var flight in found)
        {
            Notes.Add($"flight {flight.Number} is cancelled by the group");
            ModelCaller[] followers = [.. flight.Followers];
            Close(flight);
            flight.IsCanceled = true;
            foreach (var follower in followers)
            {
                Release(follower, ModelCaller.GroupCancellation);
            }

            if (flight is { IsSeated: true, LeaderLeft: false })
            {
                Release(flight.Leader, ModelCaller.GroupCancellation);
            }
        }

        return found.Count > 0;
    }

    private static void Close(ModelFlight flight)
    {
        flight.IsInTable = false;
        flight.IsClosed = true;
        flight.Followers.Clear();
    }

    private static void Release(ModelCaller caller, string outcome)
    {
        caller.IsClaimed = caller.IsFollower;
        caller.Outcome = outcome;
        caller.Flight.Released.Add(caller.Number);
    }

    private static void Remember(ModelFlight flight, ModelCaller fired)
    {
        if (!fired.HasFired || flight.Fired.Contains(fired))
        {
            return;
        }

        flight.Fired.Add(fired);
        if (flight.Fired.Count > FiredKept)
        {
            flight.Fired.RemoveAt(0);
        }
    }

    private void NoteIf(bool condition, string note)
    {
        if (condition)
        {
            Notes.Add(note);
        }
    }

    private void Leave(ModelCaller follower)
    {
        var flight = follower.Flight;
        if (!flight.IsClosed)
        {
            flight.Followers.Remove(follower);
            if (flight.Waiters == 0)
            {
                Abandon(flight);
                Abandoned.Add((flight.Number, follower.Number));
            }
            else
            {
                Remember(flight, follower);
            }
        }

        Notes.Add($"caller {follower.Number} leaves as a follower");
        Release(follower, ModelCaller.OwnCancellation);
    }

    private void LeaderLeaves(ModelFlight flight)
    {
        flight.LeaderLeft = true;
        Notes.Add($"the leader of flight {flight.Number} leaves");
        if (flight.Waiters == 0)
        {
            Abandon(flight);
            flight.LeaderAbandons = !flight.IsSeated;
            if (flight.IsSeated)
            {
                Abandoned.Add((flight.Number, flight.Leader.Number));
            }

            return;
        }

        Remember(flight, flight.Leader);
        if (flight.Rules.Departure == LeaderDeparture.HandOver)
        {
            Notes.Add($"flight {flight.Number} is handed over");
            flight.IsCanceled = true;
            CloseAndElect(flight, counts: true);
        }
    }

    private void Abandon(ModelFlight flight)
    {
        Notes.Add($"flight {flight.Number} is abandoned");
        Close(flight);
        flight.IsCanceled = flight.Rules.CancelWhenAbandoned;
    }
}
