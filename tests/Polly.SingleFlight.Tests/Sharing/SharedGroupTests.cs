using Polly.Registry;

namespace Polly.SingleFlight.Tests.Sharing;

/// <summary>Pipelines that share a group and have rules of their own: each caller's rules hold for what it receives.</summary>
public sealed class SharedGroupTests : FlightTest
{
    private static readonly Dictionary<string, Action<SingleFlightStrategyOptions<Box>>> s_rules = new()
    {
        ["none"] = static _ => { },
        ["refuses personal"] = static options => options.ShouldShare = RefusePersonal,
        ["refuses all"] = static options => options.ShouldShare = static _ => new(false),
        ["refuses, elects"] = static options =>
        {
            options.ShouldShare = RefusePersonal;
            options.UnsharedOutcome = UnsharedOutcome.ElectNewLeader;
        },
        ["clones"] = static options => options.ResultCloner = static args => new(args.Result with { }),
    };

    private readonly Gate _gate = new();

    public static TheoryData<string, string> Pairs
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var leader in s_rules.Keys)
            {
                foreach (var follower in s_rules.Keys.Where(other => other != leader))
                {
                    data.Add(leader, follower);
                }
            }

            return data;
        }
    }

    public static TheoryData<string> Rules => [.. s_rules.Keys];

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task RulesDiffer_CallersDoNotMeet(string leader, string follower)
    {
        var first = Call(Build(Options(leader)), "key", _ => Hold("first"));
        await Probe.Reached(Started, 1);
        var second = Call(Build(Options(follower)), "key", _ => Hold("second"));
        await Probe.Reached(Started, 2);
        Assert.Equal(2, Group.ActiveFlights);
        _gate.Open();

        Assert.Equal(("first", "second"), ((await first).Text, (await second).Text));
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task RulesAreEqual_CallersOfTwoPipelinesMeet(string rules)
    {
        var first = Call(Build(Options(rules)), "key", _ => Hold("first"));
        await Probe.Reached(Started, 1);
        var second = Call(Build(Options(rules)), "key", _ => Hold("second"));
        await Probe.Reached(Joined, 1);
        _gate.Open();

        await Task.WhenAll(first, second);
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task ReloadChangesTheRules_CallersOfTheOldAndTheNewPipelineDoNotMeet(string rules)
    {
        using var registry = new ResiliencePipelineRegistry<string>();
        using var change = new CancellationTokenSource();
        var current = "none" == rules ? "clones" : "none";
        var pipeline = registry.GetOrAddPipeline<Box>("p", (builder, context) =>
        {
            context.AddReloadToken(change.Token);
            builder.TimeProvider = Clock;
            builder.AddSingleFlight(Options(current));
        });
        var before = Call(pipeline, "key", _ => Hold("before"));
        await Probe.Reached(Started, 1);
        current = rules;
        await change.CancelAsync();

        var after = Call(pipeline, "key", _ => Hold("after"));
        await Probe.Reached(Started, 2);
        _gate.Open();

        Assert.Equal(("before", "after"), ((await before).Text, (await after).Text));
    }

    [Fact]
    public async Task FunctionsOfDifferentObjects_AreDifferentRules()
    {
        var first = Call(Build(OfTenant("a")), "key", _ => Hold("first"));
        await Probe.Reached(Started, 1);
        var second = Call(Build(OfTenant("b")), "key", _ => Hold("second"));
        await Probe.Reached(Started, 2);
        _gate.Open();
        await Task.WhenAll(first, second);

        SingleFlightStrategyOptions<Box> OfTenant(string tenant) =>
            Watched(new SingleFlightStrategyOptions<Box> { ShouldShare = args => new(args.Outcome.Result!.Text == tenant) });
    }

    [Fact]
    public async Task Group_ForgetsAndCancelsFlightsOfAllRules()
    {
        var first = Call(Build(Options("none")), "key", _ => Hold("first"));
        await Probe.Reached(Started, 1);
        var second = Call(Build(Options("clones")), "key", _ => Hold("second"));
        await Probe.Reached(Started, 2);

        Assert.True(Group.Cancel("key"));

        await Assert.ThrowsAsync<FlightCanceledException>(() => first);
        await Assert.ThrowsAsync<FlightCanceledException>(() => second);
        _gate.Open();
    }

    private static ValueTask<bool> RefusePersonal(ShouldSharePredicateArguments<Box> args) => new(args.Outcome.Result is { IsPersonal: false });

    private SingleFlightStrategyOptions<Box> Options(string rules)
    {
        var options = Watched(new SingleFlightStrategyOptions<Box>());
        s_rules[rules](options);
        return options;
    }

    private async Task<Box> Hold(string text)
    {
        await _gate.Opened;
        return new Box(text, IsPersonal: true);
    }

    internal sealed record Box(string Text, bool IsPersonal);
}
