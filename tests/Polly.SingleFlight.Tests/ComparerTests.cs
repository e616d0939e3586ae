namespace Polly.SingleFlight.Tests;

/// <summary>I5: the comparer is the one foreign code that runs under a lock, and may fail.</summary>
public sealed class ComparerTests : FlightTest
{
    private readonly Comparer _comparer = new();

    public ComparerTests() => Group = new SingleFlightGroup(_comparer);

    [Fact]
    public async Task Execute_CustomComparer_DecidesEqualityAndIsAskedForOneHashPerCall()
    {
        var gate = new Gate();
        var pipeline = Build();
        var leader = Call(pipeline, "KEY", Hold);
        var follower = Call(pipeline, "key", Hold);
        await Probe.Reached(Joined, 1);
        gate.Open();

        Assert.Equal(new[] { 1, 1 }, await Task.WhenAll(leader, follower));
        Assert.Equal(2, _comparer.Hashes);

        async Task<int> Hold(ResilienceContext context)
        {
            await gate.Opened;
            return 1;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Execute_ComparerThrows_FailsThatCallerAndFlightStillLeavesTheTable(bool inHash)
    {
        var gate = new Gate();
        var pipeline = Build();
        var leader = Call(pipeline, "key", async _ =>
        {
            await gate.Opened;
            return 1;
        });
        await Probe.Reached(Started, 1);
        (_comparer.ThrowInHash, _comparer.ThrowInEquals) = (inHash, !inHash);

        var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);
        context.SetSingleFlightKey("key");
        var outcome = await pipeline.ExecuteOutcomeAsync((_, _) => Outcome.FromResultAsValueTask(2), context, 0);
        Assert.IsType<NotSupportedException>(outcome.Exception);
        ResilienceContextPool.Shared.Return(context);
        Assert.Throws<NotSupportedException>(() => Group.Forget("key"));
        gate.Open();

        // The comparer still throws while the flight is removed.
        Assert.Equal(1, await leader);
        Assert.Equal(0, Group.ActiveFlights);
    }

    [Fact]
    public async Task Execute_AllKeysCollide_EveryFlightIsFoundAndRemoved()
    {
        _comparer.Collide = true;
        var gate = new Gate();
        var pipeline = Build();
        var callers = Enumerable.Range(0, 300).Select(i => Call(pipeline, "key" + (i % 100), async _ =>
        {
            await gate.Opened;
            return i % 100;
        })).ToArray();
        await Probe.Reached(Joined, 200);
        Assert.Equal(100, Group.ActiveFlights);
        gate.Open();

        Assert.All((await Task.WhenAll(callers)).Select((item, index) => (Index: index, Item: item)), value => Assert.Equal(value.Index % 100, value.Item));
    }

    [Fact]
    public async Task Elect_ComparerThrows_SuccessorServesItsCallersWithoutTheKey()
    {
        var (gate, asked, answer, end) = (new Gate(), new Gate(), new Gate(), new Gate());
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<int>
        {
            UnsharedOutcome = UnsharedOutcome.ElectNewLeader,
            ShouldShare = async args =>
            {
                if (args.Outcome.Result != 0)
                {
                    return true;
                }

                asked.Open();
                await answer.Opened;
                return false;
            },
        }));
        var leader = Call(pipeline, "key", _ => HoldFor(gate, 0));
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", _ => Task.FromResult(1));
        await Probe.Reached(Joined, 1);
        gate.Open();
        await asked.Opened.Soon();

        // A flight that has the key, so that the election asks the comparer.
        var newcomer = Call(pipeline, "key", _ => HoldFor(end, 2));
        await Probe.Reached(Started, 2);
        _comparer.ThrowInEquals = true;
        answer.Open();

        Assert.Equal(new[] { 0, 1 }, await Task.WhenAll(leader, follower));
        Assert.Equal(1, Group.ActiveFlights);
        end.Open();
        Assert.Equal(2, await newcomer);

        static async Task<int> HoldFor(Gate gate, int value)
        {
            await gate.Opened;
            return value;
        }
    }

    private sealed class Comparer : IEqualityComparer<object>
    {
        public bool ThrowInHash { get; set; }

        public bool ThrowInEquals { get; set; }

        public bool Collide { get; set; }

        public int Hashes { get; private set; }

        public new bool Equals(object? x, object? y) =>
            ThrowInEquals ? throw new NotSupportedException() : StringComparer.OrdinalIgnoreCase.Equals(x, y);

        public int GetHashCode(object obj)
        {
            Hashes++;
            return ThrowInHash ? throw new NotSupportedException() : Collide ? 1 : StringComparer.OrdinalIgnoreCase.GetHashCode((string)obj);
        }
    }
}
