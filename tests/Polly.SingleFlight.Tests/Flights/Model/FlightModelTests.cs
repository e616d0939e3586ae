using FsCheck;
using FsCheck.Fluent;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>After every step of any sequence, flights, table and waits are as a simple model says (I1 to I4, W1 to W3).</summary>
public sealed class FlightModelTests : FlightTest
{
    private const int Scenarios = 3_000;

    /// <summary>What the scenarios must bring about, each in a hundredth of them, or the property says little.</summary>
    private static readonly string[] s_happens =
    [
        "joins flight", "is superseded", "is forgotten", "cancelled by the group", "leaves as a follower", "the leader of flight", "is handed over",
        "is abandoned", "is elected", "is sent to run alone", "runs alone", "gives flight", "forfeits", "leader's alone", "is not shared", "is served",
        "lands too late",
    ];

    private readonly Patience _patience = new();
    private readonly Dictionary<string, int> _counts = s_happens.ToDictionary(static what => what, static _ => 0, StringComparer.Ordinal);

    [Fact]
    public void AnySteps_EngineAndModel_AreTheSameAfterEachStep()
    {
        Prop.ForAll(ScenarioGenerator.Scenarios, Run).Check(Config.QuickThrowOnFailure.WithMaxTest(Scenarios).WithQuietOnSuccess(true));

        Assert.All(_counts, static count => Assert.True(count.Value >= Scenarios / 100, $"'{count.Key}' happened in {count.Value} scenarios."));
    }

    private void Run(Scenario scenario)
    {
        var done = scenario.Run(_patience);
        foreach (var what in s_happens)
        {
            _counts[what] += done.Exists(line => line.Contains(what, StringComparison.Ordinal)) ? 1 : 0;
        }
    }
}
