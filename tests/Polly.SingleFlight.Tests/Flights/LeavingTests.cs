namespace Polly.SingleFlight.Tests.Flights;

/// <summary>S4 to S6: who may leave when, and what that does to the others.</summary>
public sealed class LeavingTests : FlightTest
{
    [Fact]
    public async Task Leave_LeaderInSynchronousPart_CountsAtOnceAndReturnsWhenTheCallbackYields()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        using var inside = new ManualResetEventSlim();
        using var yield = new ManualResetEventSlim();
        var end = new Gate();
        var flightToken = CancellationToken.None;
        var leader = Task.Run(() => Call(pipeline, "key", async context =>
        {
            flightToken = context.CancellationToken;
            inside.Set();
            yield.Wait();
            await end.Opened;
            return 1;
        }, source.Token));
        inside.Wait();
        var canceled = new Gate();
        using var registration = flightToken.Register(canceled.Open);

        await source.CancelAsync();

        // The leader is alone, so its departure abandons the flight although its thread is still inside the callback.
        await canceled.Opened.Soon();
        Assert.Equal(0, Group.ActiveFlights);
        Assert.False(leader.IsCompleted);
        Assert.Equal(0, Probe[Abandoned]);
        yield.Set();
        await IsCanceledBy(leader, source.Token);
        Assert.Equal(1, Probe[Abandoned]);
        end.Open();
    }

    [Fact]
    public async Task Leave_LeaderInSynchronousCallback_FollowersGetTheValueAndLeaderItsCancellation()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        using var inside = new ManualResetEventSlim();
        using var end = new ManualResetEventSlim();
        SingleFlightResult? result = null;
        var leader = SyncCall.Start("key", source.Token, context => result = context.GetSingleFlightResult(), context => pipeline.Execute(_ =>
        {
            inside.Set();
            end.Wait();
            return 1;
        }, context));
        inside.Wait();
        var follower = Call(pipeline, "key", _ => Task.FromResult(2));
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        end.Set();

        await IsCanceledBy(leader, source.Token);
        Assert.Equal(1, await follower);
        Assert.Equal(SingleFlightRole.Leader, result?.Role);
    }

    [Fact]
    public async Task Abandon_UserRegistrationThrowsOrBlocks_LeaverIsNotReached()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        using var block = new ManualResetEventSlim();
        var end = new Gate();
        var leader = Call(pipeline, "key", async context =>
        {
            context.CancellationToken.Register(() =>
            {
                block.Wait();
                throw new InvalidOperationException("from a registration");
            });
            await end.Opened;
            return 1;
        }, source.Token);
        await Probe.Reached(Started, 1);

        // Would block, or throw, if the flight were cancelled on the leaver's stack.
        var cancel = Task.Factory.StartNew(source.Cancel, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            await cancel.Soon();
            await IsCanceledBy(leader, source.Token);
        }
        finally
        {
            block.Set();
            end.Open();
        }
    }

    [Fact]
    public async Task Abandon_CancelWhenAbandonedOff_CallbackFinishesAndNobodyReceivesIt()
    {
        var options = Watched();
        options.CancelWhenAbandoned = false;
        var pipeline = Build(options);
        using var source = new CancellationTokenSource();
        var (end, ended) = (new Gate(), new Gate());
        var leader = Call(pipeline, "key", async context =>
        {
            await end.Opened;
            Assert.False(context.CancellationToken.IsCancellationRequested);
            ended.Open();
            return "old";
        }, source.Token);
        await Probe.Reached(Started, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);

        Assert.Equal("fresh", await Call(pipeline, "key", _ => Task.FromResult("fresh")));
        end.Open();
        await ended.Opened.Soon();
    }

    [Fact]
    public async Task Leave_TokenSourceIsReusedByItsPool_NoRegistrationIsLeft()
    {
        var pipeline = Build();
        using var leaders = new CancellationTokenSource();
        using var followers = new CancellationTokenSource();
        for (var round = 0; round < 50; round++)
        {
            var gate = new Gate();
            var started = Probe[Started];
            var leader = Call(pipeline, "key", Hold, leaders.Token);
            await Probe.Reached(Started, started + 1);
            var follower = Call(pipeline, "key", Hold, followers.Token);
            await Probe.Reached(Joined, round + 1);
            gate.Open();
            await Task.WhenAll(leader, follower);
            Assert.Equal(0, Registrations.Count(leaders));
            Assert.Equal(0, Registrations.Count(followers));

            async Task<int> Hold(ResilienceContext context)
            {
                await gate.Opened;
                return 1;
            }
        }

        Assert.Equal(1, await Call(pipeline, "key", _ => Task.FromResult(1), leaders.Token));
        Assert.Equal(0, Registrations.Count(leaders));
    }

    [Fact]
    public async Task HandOver_LeaderLeaves_OneRemainingCallbackRunsInstead()
    {
        var options = Watched();
        options.LeaderDeparture = LeaderDeparture.HandOver;
        var pipeline = Build(options);
        using var source = new CancellationTokenSource();
        var (old, end) = (new Gate(), new Gate());
        var runs = new List<string>();
        var first = Call(pipeline, "key", async context =>
        {
            using var registration = context.CancellationToken.Register(old.Open);
            await old.Opened;
            await end.Opened;
            return "old";
        }, source.Token);
        await Probe.Reached(Started, 1);
        var followers = Enumerable.Range(0, 5).Select(i => Call(pipeline, "key", async _ =>
        {
            lock (runs)
            {
                runs.Add("follower" + i);
            }

            await end.Opened;
            return "follower" + i;
        })).ToArray();
        await Probe.Reached(Joined, 5);

        await source.CancelAsync();

        await IsCanceledBy(first, source.Token);
        await old.Opened.Soon();
        await Probe.Reached(Started, 2);
        Assert.Equal(1, Group.ActiveFlights);
        var newcomer = Call(pipeline, "key", _ => Task.FromResult("not run"));
        await Probe.Reached(Joined, 6);
        end.Open();
        Assert.All(await Task.WhenAll(followers), value => Assert.Equal("follower0", value));
        Assert.Equal("follower0", await newcomer);
        Assert.Equal(["follower0"], runs);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    public async Task HandOver_OftenerThanMaxElections_RemainingCallersRunAlone(int maxElections, int handOvers)
    {
        var options = Watched();
        options.LeaderDeparture = LeaderDeparture.HandOver;
        options.MaxElections = maxElections;
        var pipeline = Build(options);
        var end = new Gate();
        var sources = Enumerable.Range(0, handOvers + 1).Select(_ => new CancellationTokenSource()).ToArray();
        var leavers = new List<Task<int>>();
        foreach (var source in sources)
        {
            leavers.Add(Call(pipeline, "key", async _ =>
            {
                await end.Opened;
                return -1;
            }, source.Token));
            await (leavers.Count == 1 ? Probe.Reached(Started, 1) : Probe.Reached(Joined, leavers.Count - 1));
        }

        var stayers = Enumerable.Range(0, 4).Select(i => Call(pipeline, "key", _ => Task.FromResult(i))).ToArray();
        await Probe.Reached(Joined, handOvers + 4);
        for (var i = 0; i < sources.Length; i++)
        {
            await Probe.Reached(Started, i + 1);
            await sources[i].CancelAsync();
        }

        Assert.Equal(new[] { 0, 1, 2, 3 }, await Task.WhenAll(stayers));
        Assert.Equal(Enumerable.Repeat(BypassReason.Election, 4), Reasons);
        end.Open();
        foreach (var (i, leaver) in leavers.Select((item, index) => (Index: index, Item: item)))
        {
            await IsCanceledBy(leaver, sources[i].Token);
        }
    }

    [Fact]
    public async Task HandOver_ForgottenFlight_SuccessorDoesNotTakeTheKey()
    {
        var options = Watched();
        options.LeaderDeparture = LeaderDeparture.HandOver;
        var pipeline = Build(options);
        using var source = new CancellationTokenSource();
        var end = new Gate();
        var leader = Call(pipeline, "key", Hold("old"), source.Token);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", Hold("successor"));
        await Probe.Reached(Joined, 1);
        Group.Forget("key");
        var newcomer = Call(pipeline, "key", Hold("new"));
        await Probe.Reached(Started, 2);

        await source.CancelAsync();
        await Probe.Reached(Started, 3);
        var joins = Call(pipeline, "key", Hold("not run"));
        await Probe.Reached(Joined, 2);
        end.Open();

        await IsCanceledBy(leader, source.Token);
        Assert.Equal(("successor", "new", "new"), (await follower, await newcomer, await joins));

        Func<ResilienceContext, Task<string>> Hold(string value) => async _ =>
        {
            await end.Opened;
            return value;
        };
    }

    [Fact]
    public async Task Execute_LeadersTokenSourceIsDisposed_StillRuns()
    {
        var pipeline = Build();
        var source = new CancellationTokenSource();
        var token = source.Token;
        source.Dispose();

        Assert.Equal(1, await Call(pipeline, "key", _ => Task.FromResult(1), token));
    }
}
