using FsCheck;
using FsCheck.Fluent;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>Makes up sequences of steps, and makes one that fails shorter.</summary>
internal static class ScenarioGenerator
{
    private const int Keys = 2;
    private const int LongestPick = 60;

    private static Gen<bool> Mostly { get; } = Gen.Elements(true, true, true, false);

    private static Gen<int> Pick { get; } = Gen.Choose(0, LongestPick);

    private static Gen<int> Key { get; } = Gen.Choose(0, Keys - 1);

    private static Gen<ModelRules> Rules { get; } =
        from departure in Gen.Elements(LeaderDeparture.Detach, LeaderDeparture.HandOver)
        from cancels in Mostly
        from elections in Gen.Choose(0, 2)
        from realm in Gen.Elements<int?>(null, null, null, 1)
        select new ModelRules(departure, cancels, elections, realm);

    private static Gen<Step> Admission { get; } =
        from key in Key
        from isInt in Mostly
        from rules in Pick
        from hasToken in Mostly
        from settlesIn in Mostly
        from finds in Gen.Choose(0, 19)
        select (Step)new Admit(key, !isInt, rules, hasToken, settlesIn, FindsTooOld: finds == 0);

    private static Gen<Step> Landing { get; } =
        from pick in Pick
        from ending in Gen.Elements([.. Enum.GetValues<Ending>(), Ending.CancellationOfOther, Ending.CancellationOfOther])
        from other in Pick
        from isPrepared in Gen.Elements(true, false, false, false)
        select (Step)new Land(pick, ending, other, isPrepared);

    private static Gen<Step> Step { get; } = Gen.Frequency(
        (20, Admission),
        (4, Pick.Select(static pick => (Step)new SettleIn(pick))),
        (8, Pick.Select(static pick => (Step)new FireToken(pick))),
        (6, Pick.Select(static pick => (Step)new Lead(pick))),
        (6, Pick.Select(static pick => (Step)new Yield(pick))),
        (6, Landing),
        (5, from pick in Pick from isShared in Gen.Elements(true, false) select (Step)new Serve(pick, isShared)),
        (3, Pick.Select(static pick => (Step)new RunAlone(pick))),
        (1, Pick.Select(static pick => (Step)new Resign(pick))),
        (2, Key.Select(static key => (Step)new Forget(key))),
        (1, Gen.Constant((Step)new ForgetAll())),
        (1, Key.Select(static key => (Step)new CancelKey(key))));

    public static Arbitrary<Scenario> Scenarios { get; } = Arb.From(
        from count in Gen.Choose(1, 3)
        from rules in Rules.ArrayOf(count)
        from collide in Gen.Elements(true, false)
        from length in Gen.Choose(5, 60)
        from steps in Step.ArrayOf(length)
        select new Scenario(rules, collide, steps),
        Shrink);

    /// <summary>Leaves steps out, the most first, and then rules.</summary>
    private static IEnumerable<Scenario> Shrink(Scenario scenario)
    {
        var steps = scenario.Steps;
        for (var size = steps.Length / 2; size > 0; size /= 2)
        {
            for (var start = 0; start < steps.Length; start += size)
            {
                yield return scenario with { Steps = [.. steps[..start], .. steps.Skip(start + size)] };
            }
        }

        for (var i = 0; i < scenario.Rules.Length && scenario.Rules.Length > 1; i++)
        {
            yield return scenario with { Rules = [scenario.Rules[i]] };
        }

        if (scenario.KeysCollide)
        {
            yield return scenario with { KeysCollide = false };
        }
    }
}
