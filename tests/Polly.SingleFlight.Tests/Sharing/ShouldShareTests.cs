namespace Polly.SingleFlight.Tests.Sharing;

/// <summary>S7: who gets which outcome.</summary>
public sealed class ShouldShareTests : FlightTest
{
    private readonly Gate _gate = new();
    private int _asked;
    private int _runs;

    [Fact]
    public async Task ShouldShare_NoFollowers_IsNotAsked()
    {
        var pipeline = Build(Options(_ => new(false)));
        var yields = Call(pipeline, "key", _ => Hold(0));
        await Probe.Reached(Started, 1);
        _gate.Open();

        Assert.Equal(0, await yields);
        Assert.Equal(0, await Call(pipeline, "key", _ => Task.FromResult(0)));
        Assert.Equal(0, _asked);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ShouldShare_Refuses_LeaderKeepsTheOutcomeAndFollowersRunInParallel(bool throws)
    {
        var pipeline = Build(Options(args => throws ? throw new FormatException() : new(args.Outcome.Result != 0)));
        var together = new Gate();
        var inside = 0;
        var results = new List<SingleFlightResult?>();
        var callers = Enumerable.Range(0, 5).Select(i => Call(pipeline, "key", async _ =>
        {
            if (i == 0)
            {
                return await Hold(0);
            }

            // Opens only when all four are inside at the same time.
            if (Interlocked.Increment(ref inside) == 4)
            {
                together.Open();
            }

            await together.Opened;
            return i;
        }, after: context =>
        {
            lock (results)
            {
                results.Add(context.GetSingleFlightResult());
            }
        })).ToArray();
        await Probe.Reached(Joined, 4);
        _gate.Open();

        Assert.Equal(new[] { 0, 1, 2, 3, 4 }, await Task.WhenAll(callers));
        Assert.Equal(1, _asked);
        Assert.Equal(Enumerable.Repeat(BypassReason.Unshared, 4), Reasons);
        Assert.Equal(4, results.Count(result => result is { Role: SingleFlightRole.Bypassed, CallerCount: 1, FlightId: 0 }));
        Assert.Single(results, result => result is { Role: SingleFlightRole.Leader, CallerCount: 5 });
    }

    [Fact]
    public async Task ShouldShare_RefusesExceptions_FollowersRunThemselves()
    {
        var pipeline = Build(Options(args => new(args.Outcome.Exception is null)));
        var leader = Call(pipeline, "key", async _ =>
        {
            await _gate.Opened;
            throw new FormatException();
        });
        var follower = Call(pipeline, "key", _ => Task.FromResult(2));
        await Probe.Reached(Joined, 1);
        _gate.Open();

        await Assert.ThrowsAsync<FormatException>(() => leader);
        Assert.Equal(2, await follower);
    }

    [Fact]
    public async Task ElectNewLeader_FirstOutcomeRefused_OneSuccessorServesTheRest()
    {
        var options = Options(args => new(args.Outcome.Result != 0));
        options.UnsharedOutcome = UnsharedOutcome.ElectNewLeader;
        var pipeline = Build(options);
        var callers = Enumerable.Range(0, 6).Select(i => Call(pipeline, "key", _ => i == 0 ? Hold(0) : Task.FromResult(Interlocked.Increment(ref _runs)))).ToArray();
        await Probe.Reached(Joined, 5);
        _gate.Open();

        Assert.Equal(new[] { 0, 1, 1, 1, 1, 1 }, await Task.WhenAll(callers));
        Assert.Equal(1, _runs);
    }

    [Fact]
    public async Task ElectNewLeader_EveryOutcomeRefused_BoundedElectionsThenAlone()
    {
        var options = Options(_ => new(false));
        options.UnsharedOutcome = UnsharedOutcome.ElectNewLeader;
        var pipeline = Build(options);
        var callers = Enumerable.Range(0, 6).Select(i => Call(pipeline, "key", _ => Hold(i))).ToArray();
        await Probe.Reached(Joined, 5);
        _gate.Open();

        Assert.Equal(new[] { 0, 1, 2, 3, 4, 5 }, await Task.WhenAll(callers));
        Assert.Equal(2, Probe[Started]);
        Assert.Equal(Enumerable.Repeat(BypassReason.Election, 4), Reasons);
    }

    [Fact]
    public async Task ElectNewLeader_NewcomerHasTheKey_SuccessorLeavesItAlone()
    {
        var (asked, answer) = (new Gate(), new Gate());
        var options = Options(async args =>
        {
            if (args.Outcome.Result == 0)
            {
                asked.Open();
                await answer.Opened;
            }

            return args.Outcome.Result != 0;
        });
        options.UnsharedOutcome = UnsharedOutcome.ElectNewLeader;
        var pipeline = Build(options);
        var leader = Call(pipeline, "key", _ => Hold(0));
        await Probe.Reached(Started, 1);
        var end = new Gate();
        var follower = Call(pipeline, "key", _ => HoldFor(end, 1));
        await Probe.Reached(Joined, 1);
        _gate.Open();
        await asked.Opened.Soon();
        var newcomer = Call(pipeline, "key", _ => HoldFor(end, 2));
        await Probe.Reached(Started, 2);
        answer.Open();
        await Probe.Reached(Started, 3);
        var joins = Call(pipeline, "key", _ => Task.FromResult(3));
        await Probe.Reached(Joined, 2);
        end.Open();

        Assert.Equal(new[] { 0, 1, 2, 2 }, await Task.WhenAll(leader, follower, newcomer, joins));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ShouldShare_StillDeciding_CallersLeaveAtOnce(bool callbackIsSynchronous)
    {
        var (asked, answer) = (new Gate(), new Gate());
        var pipeline = Build(Options(async _ =>
        {
            asked.Open();
            await answer.Opened;
            return true;
        }));
        using var leaders = new CancellationTokenSource();
        using var followers = new CancellationTokenSource();
        var leader = Task.Run(() => Call(pipeline, "key", _ =>
        {
            if (callbackIsSynchronous)
            {
                _gate.Opened.Wait();
                return Task.FromResult(0);
            }

            return Hold(0);
        }, leaders.Token));
        await Probe.Reached(Started, 1);
        var leaver = Call(pipeline, "key", _ => Task.FromResult(1), followers.Token);
        var stayer = Call(pipeline, "key", _ => Task.FromResult(2));
        await Probe.Reached(Joined, 2);
        _gate.Open();
        await asked.Opened.Soon();

        // The flight is closed by now: nobody can join any more, and newcomers fly afresh (I3).
        Assert.Equal(3, await Call(pipeline, "key", _ => Task.FromResult(3)));
        await leaders.CancelAsync();
        await IsCanceledBy(leader, leaders.Token);
        await followers.CancelAsync();
        await IsCanceledBy(leaver, followers.Token);
        answer.Open();
        Assert.Equal(0, await stayer);
    }

    [Fact]
    public async Task Publish_SameExceptionInEveryRound_StackTraceDoesNotGrow()
    {
        var pipeline = Build();
        var failure = new InvalidOperationException();
        var outcome = Outcome.FromException<int>(failure);
        var lengths = new HashSet<int>();
        for (var round = 0; round < 1000; round++)
        {
            var gate = new Gate();
            var callers = Enumerable.Range(0, 3).Select(_ => ExecuteAsync(gate)).ToArray();
            gate.Open();
            foreach (var caller in callers)
            {
                var received = await caller.Soon();
                Assert.Same(failure, Assert.Throws<InvalidOperationException>(received.ThrowIfException));
                lengths.Add(failure.StackTrace!.Length);
            }
        }

        Assert.Single(lengths);

        async Task<Outcome<int>> ExecuteAsync(Gate gate)
        {
            var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);
            context.SetSingleFlightKey("key");
            var received = await pipeline.ExecuteOutcomeAsync(async (_, _) =>
            {
                await gate.Opened;
                return outcome;
            }, context, 0);
            ResilienceContextPool.Shared.Return(context);
            return received;
        }
    }

    private SingleFlightStrategyOptions<int> Options(Func<ShouldSharePredicateArguments<int>, ValueTask<bool>> predicate) =>
        Watched(new SingleFlightStrategyOptions<int>
        {
            ShouldShare = args =>
            {
                Interlocked.Increment(ref _asked);
                return predicate(args);
            },
        });

    private Task<int> Hold(int value) => HoldFor(_gate, value);

    private static async Task<int> HoldFor(Gate gate, int value)
    {
        await gate.Opened;
        return value;
    }
}
