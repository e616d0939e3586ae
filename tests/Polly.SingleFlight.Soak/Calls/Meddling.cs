namespace Polly.SingleFlight.Soak;

/// <summary>What is done to a group from outside, and what a look at it must show.</summary>
internal static class Meddling
{
    public static void Act(Arena arena, ref Rng rng)
    {
        var index = rng.Below(arena.Keys.Length);
        var key = arena.KeyOf(index, fresh: true);
        switch (rng.Below(8))
        {
            case 0 or 1 when arena.Allows(Hazards.Forget):
                arena.Keys[index].Forgets.Begin();
                var begin = arena.World.Next();
                arena.Group.Forget(key);
                arena.Keys[index].NoteForgotten(begin);
                arena.Keys[index].Forgets.End(arena.World.Next());
                break;
            case 2 when arena.Allows(Hazards.Forget):
                ForgetAll(arena);

                break;
            case 3 or 4 when arena.Allows(Hazards.GroupCancel):
                arena.Keys[index].Cancels.Begin();
                arena.Group.Cancel(key);
                arena.Keys[index].Cancels.End(arena.World.Next());
                break;
            case 5 or 6 when arena.Allows(Hazards.Expiry):
                arena.Clock.Advance(TimeSpan.FromTicks(1 + rng.Below(60)));
                break;
            case 7:
                Look(arena);
                break;
            default:
                break;
        }
    }

    private static void ForgetAll(Arena arena)
    {
        foreach (var state in arena.Keys)
        {
            state.Forgets.Begin();
        }

        var begin = arena.World.Next();
        arena.Group.ForgetAll();
        foreach (var state in arena.Keys)
        {
            state.NoteForgotten(begin);
            state.Forgets.End(arena.World.Next());
        }
    }

    private static void Look(Arena arena)
    {
        var rules = arena.RulesCount;
        var most = arena.Keys.Length * Enum.GetValues<ResultKind>().Length * rules;
        var seen = new Dictionary<(object Key, Type ResultType), int>();
        var left = arena.Keys.Select(static key => key.Left).ToArray();
        foreach (var flight in arena.Group.GetFlights())
        {
            var (_, index) = ((string, int))flight.Key;
            Require(arena, flight.CallerCount <= arena.Keys[index].Entered - left[index], "I2 a flight has more callers than are there", flight);
            var count = seen[(flight.Key, flight.ResultType)] = seen.GetValueOrDefault((flight.Key, flight.ResultType)) + 1;
            Require(arena, count <= rules, "I1 two joinable flights of one key, type and rules", flight);
            Require(arena, flight.CallerCount > 0, "I2 a joinable flight without callers", flight);
            Require(arena, flight.Age >= TimeSpan.Zero, "S15 a flight younger than nothing", flight);
        }

        var active = arena.Group.ActiveFlights;
        Require(arena, active >= 0 && active <= most, "S15 more flights than keys, types and rules", active);
    }

    private static void Require<T>(Arena arena, bool condition, string rule, T details)
    {
        if (!condition)
        {
            arena.World.Violations.Add(rule, $"{arena}: {details}");
        }
    }
}
