namespace Polly.SingleFlight.Tests.Contract;

/// <summary>
/// What holds however the pipeline is built and called. Derived classes choose the builder (generic or not) and the way
/// to call (async or sync; a sync caller has a thread of its own and its callback blocks it).
/// </summary>
public abstract partial class SingleFlightContract : FlightTest
{
    /// <summary>False where the leader's callback blocks the leader's own thread, so that it returns when that ends.</summary>
    protected virtual bool LeaderLeavesAtOnce => true;

    [Fact]
    public async Task Execute_ThousandCallersOnFourKeys_RunsFourTimes()
    {
        var gate = new Gate();
        var calls = 0;
        var count = LeaderLeavesAtOnce ? 1000 : 60;
        var callers = Enumerable.Range(0, count).Select(i => Call("key" + (i % 4), async _ =>
        {
            Interlocked.Increment(ref calls);
            await gate.Opened;
            return "value" + (i % 4);
        })).ToArray();
        await Probe.Reached(Joined, count - 4);
        Assert.Equal(4, Group.ActiveFlights);

        gate.Open();

        var values = await Task.WhenAll(callers);
        Assert.Equal(4, calls);
        Assert.All(values.Select((item, index) => (Index: index, Item: item)), value => Assert.Equal("value" + (value.Index % 4), value.Item));
    }

    [Fact]
    public async Task Execute_SameKeyInSequence_RunsEachTime()
    {
        Assert.Equal("1", await Call("key", _ => Task.FromResult("1")));
        Assert.Equal("2", await Call("key", _ => Task.FromResult("2")));
    }

    [Fact]
    public async Task Execute_InContinuationOfFailure_RunsAgain()
    {
        var gate = new Gate();
        async Task<string> FailThenRetry()
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => Call("key", async _ =>
            {
                await gate.Opened;
                throw new InvalidOperationException();
            }));
            return await Call("key", _ => Task.FromResult("again"));
        }

        var callers = Enumerable.Range(0, 10).Select(_ => FailThenRetry()).ToArray();
        await Probe.Reached(Joined, 9);
        gate.Open();

        Assert.All(await Task.WhenAll(callers), value => Assert.Equal("again", value));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Cancel_OneCaller_EndsOnlyItsWait(int leaver)
    {
        var gate = new Gate();
        var sources = Enumerable.Range(0, 4).Select(_ => new CancellationTokenSource()).ToArray();
        var flightToken = CancellationToken.None;
        var callers = new List<Task<string>>();
        for (var i = 0; i < sources.Length; i++)
        {
            callers.Add(Call("key", async context =>
            {
                flightToken = context.CancellationToken;
                await gate.Opened;
                return "value";
            }, sources[i].Token));
            await (i == 0 ? Probe.Reached(Started, 1) : Probe.Reached(Joined, i));
        }

        await sources[leaver].CancelAsync();

        if (leaver > 0 || LeaderLeavesAtOnce)
        {
            await IsCanceledBy(callers[leaver], sources[leaver].Token);
        }

        Assert.False(flightToken.IsCancellationRequested);
        gate.Open();
        for (var i = 0; i < callers.Count; i++)
        {
            if (i == leaver)
            {
                await IsCanceledBy(callers[i], sources[i].Token);
            }
            else
            {
                Assert.Equal("value", await callers[i]);
            }
        }

        Assert.False(flightToken.IsCancellationRequested);
    }

    [Fact]
    public async Task Cancel_AllCallers_CancelsCallbackAndNewcomerFliesAfresh()
    {
        var (canceled, end) = (new Gate(), new Gate());
        var sources = Enumerable.Range(0, 3).Select(_ => new CancellationTokenSource()).ToArray();
        var callers = new List<Task<string>>();
        for (var i = 0; i < sources.Length; i++)
        {
            callers.Add(Call("key", async context =>
            {
                using var registration = context.CancellationToken.Register(canceled.Open);
                await end.Opened;
                return "late";
            }, sources[i].Token));
            await (i == 0 ? Probe.Reached(Started, 1) : Probe.Reached(Joined, i));
        }

        foreach (var source in sources)
        {
            await source.CancelAsync();
        }

        await canceled.Opened.Soon();
        Assert.Equal(0, Group.ActiveFlights);
        var hold = new Gate();
        var newcomer = Call("key", async _ =>
        {
            await hold.Opened;
            return "fresh";
        });
        await Probe.Reached(Started, 2);

        // The old callback ends now; the new flight must keep its place in the table.
        end.Open();
        for (var i = 0; i < callers.Count; i++)
        {
            await IsCanceledBy(callers[i], sources[i].Token);
        }

        Assert.Equal(1, Group.ActiveFlights);
        var second = Call("key", _ => Task.FromResult("not run"));
        await Probe.Reached(Joined, 3);
        hold.Open();
        Assert.Equal("fresh", await newcomer);
        Assert.Equal("fresh", await second);
    }

    [Fact]
    public async Task Execute_TokenCancelledOnEntry_NeitherStartsNorJoins()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();

        await IsCanceledBy(Call("key", _ => Task.FromResult("not run"), source.Token), source.Token);

        Assert.Equal(0, Probe[Started] + Probe[Joined] + Probe[Bypassed]);
    }

    [Fact]
    public async Task Execute_CallbackFails_EverybodySeesTheSameException()
    {
        var gate = new Gate();
        var failure = new InvalidOperationException("shared");
        var callers = Enumerable.Range(0, 5).Select(_ => Call("key", async _ =>
        {
            await gate.Opened;
            throw failure;
        })).ToArray();
        await Probe.Reached(Joined, 4);
        gate.Open();

        foreach (var caller in callers)
        {
            Assert.Same(failure, await Assert.ThrowsAsync<InvalidOperationException>(() => caller));
        }
    }

    [Fact]
    public async Task Execute_CallbackCapturedLeadersToken_FollowersElectANewLeader()
    {
        using var source = new CancellationTokenSource();
        var calls = 0;
        var leader = Call("key", async _ =>
        {
            Interlocked.Increment(ref calls);
            await Task.Delay(System.Threading.Timeout.Infinite, source.Token);
            return "never";
        }, source.Token);
        await Probe.Reached(Started, 1);
        var followers = Enumerable.Range(0, 5).Select(_ => Call("key", _ =>
        {
            Interlocked.Increment(ref calls);
            return Task.FromResult("elected");
        })).ToArray();
        await Probe.Reached(Joined, 5);

        await source.CancelAsync();

        await IsCanceledBy(leader, source.Token);
        Assert.All(await Task.WhenAll(followers), value => Assert.Equal("elected", value));
        Assert.Equal(2, calls);
    }

    [Fact]
    public async Task Forget_DuringFlight_BothFlightsServeTheirCallers()
    {
        var (first, second) = (new Gate(), new Gate());
        Task<string> Start(Gate gate, string value) => Call("key", async _ =>
        {
            await gate.Opened;
            return value;
        });
        var early = new[] { Start(first, "old"), null! };
        await Probe.Reached(Started, 1);
        early[1] = Start(first, "not run");
        await Probe.Reached(Joined, 1);

        Assert.True(Group.Forget("key"));
        Assert.False(Group.Forget("key"));
        var late = new[] { Start(second, "new"), null! };
        await Probe.Reached(Started, 2);
        late[1] = Start(second, "not run");
        await Probe.Reached(Joined, 2);
        first.Open();

        Assert.Equal(["old", "old"], await Task.WhenAll(early));
        Assert.Equal(1, Group.ActiveFlights);
        second.Open();
        Assert.Equal(["new", "new"], await Task.WhenAll(late));
    }

    [Fact]
    public async Task GetSingleFlightResult_LeaderAndFollower_TellTheirParts()
    {
        var gate = new Gate();
        SingleFlightResult? leads = null, follows = null;
        var leader = Call("key", Hold, after: context => leads = context.GetSingleFlightResult());
        await Probe.Reached(Started, 1);
        Clock.Advance(TimeSpan.FromSeconds(2));
        var follower = Call("key", Hold, after: context => follows = context.GetSingleFlightResult());
        await Probe.Reached(Joined, 1);
        Clock.Advance(TimeSpan.FromSeconds(3));
        gate.Open();
        await Task.WhenAll(leader, follower);

        Assert.NotNull(leads);
        Assert.NotNull(follows);
        Assert.Equal((SingleFlightRole.Leader, 2, TimeSpan.FromSeconds(5)), (leads.Role, leads.CallerCount, leads.WaitTime));
        Assert.Equal((SingleFlightRole.Follower, 2, TimeSpan.FromSeconds(3)), (follows.Role, follows.CallerCount, follows.WaitTime));
        Assert.Equal(leads.FlightId, follows.FlightId);
        Assert.NotEqual(0, leads.FlightId);

        async Task<string> Hold(ResilienceContext context)
        {
            await gate.Opened;
            return "value";
        }
    }

    [Fact]
    public async Task Cancel_ThroughGroup_EveryCallerGetsFlightCanceledException()
    {
        var (end, canceled) = (new Gate(), new Gate());
        var callers = Enumerable.Range(0, 3).Select(_ => Call("key", async context =>
        {
            using var registration = context.CancellationToken.Register(canceled.Open);
            await end.Opened;
            return "late";
        })).ToArray();
        await Probe.Reached(Joined, 2);

        Assert.True(Group.Cancel("key"));
        Assert.False(Group.Cancel("key"));

        await canceled.Opened.Soon();
        if (!LeaderLeavesAtOnce)
        {
            end.Open();
        }

        foreach (var caller in callers)
        {
            await Assert.ThrowsAsync<FlightCanceledException>(() => caller);
        }

        end.Open();
    }

    protected abstract Task<string> Call(
        object key, Func<ResilienceContext, Task<string>> callback, CancellationToken token = default, Action<ResilienceContext>? after = null);
}
