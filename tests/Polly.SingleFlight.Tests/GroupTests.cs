namespace Polly.SingleFlight.Tests;

/// <summary>S15: groups, snapshots, reloads and disposal.</summary>
public sealed class GroupTests : FlightTest
{
    private readonly Gate _gate = new();

    [Fact]
    public async Task Group_SharedByTwoPipelines_CoalescesAcrossThem()
    {
        var first = Call(Build(), "key", _ => Hold(1));
        await Probe.Reached(Started, 1);
        var second = Call(Build(), "key", _ => Hold(2));
        await Probe.Reached(Joined, 1);
        _gate.Open();

        Assert.Equal(new[] { 1, 1 }, await Task.WhenAll(first, second));
    }

    [Fact]
    public async Task Group_NotGiven_PipelinesDoNotCoalesce()
    {
        var options = new SingleFlightStrategyOptions { OnFlightStarted = _ => Started2() };
        var first = Call(Build(options), "key", _ => Hold(1));
        var second = Call(Build(options), "key", _ => Hold(2));
        await Probe.Reached("own", 2);
        _gate.Open();

        Assert.Equal(new[] { 1, 2 }, await Task.WhenAll(first, second));

        ValueTask Started2()
        {
            Probe.Hit("own");
            return default;
        }
    }

    [Fact]
    public async Task GetFlights_ShowsJoinableFlightsWithCallersPresentAndAge()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        var leader = Call(pipeline, ("tenant", 1), _ => Hold(1));
        await Probe.Reached(Started, 1);
        var leaver = Call(pipeline, ("tenant", 1), _ => Hold(1), source.Token);
        var stayer = Call(pipeline, ("tenant", 1), _ => Hold(1));
        await Probe.Reached(Joined, 2);
        Clock.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal([new FlightSnapshot(("tenant", 1), typeof(int), 3, TimeSpan.FromSeconds(7))], Group.GetFlights());

        await source.CancelAsync();
        await IsCanceledBy(leaver, source.Token);
        Assert.Equal(2, Assert.Single(Group.GetFlights()).CallerCount);

        Group.ForgetAll();
        Assert.Empty(Group.GetFlights());
        Assert.Equal(0, Group.ActiveFlights);
        _gate.Open();
        await Task.WhenAll(leader, stayer);
    }

    [Fact]
    public async Task GetSingleFlightResult_FollowerHasLeft_IsCountedAsACallerThatJoined()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        var results = new List<SingleFlightResult?>();
        var leader = Call(pipeline, "key", _ => Hold(1), after: Note);
        await Probe.Reached(Started, 1);
        var leaver = Call(pipeline, "key", _ => Hold(1), source.Token);
        var stayer = Call(pipeline, "key", _ => Hold(1), after: Note);
        await Probe.Reached(Joined, 2);
        await source.CancelAsync();
        await IsCanceledBy(leaver, source.Token);
        _gate.Open();
        await Task.WhenAll(leader, stayer);

        Assert.Equal([3, 3], results.Select(static result => result?.CallerCount));

        void Note(ResilienceContext context)
        {
            lock (results)
            {
                results.Add(context.GetSingleFlightResult());
            }
        }
    }

    [Fact]
    public async Task ForgetAll_ManyFlights_NewcomersStartAfresh()
    {
        var pipeline = Build();
        var old = Enumerable.Range(0, 100).Select(i => Call(pipeline, i, _ => Hold(i))).ToArray();
        await Probe.Reached(Started, 100);
        Group.ForgetAll();
        var fresh = Enumerable.Range(0, 100).Select(i => Call(pipeline, i, _ => Hold(-i))).ToArray();
        await Probe.Reached(Started, 200);
        Assert.Equal(100, Group.ActiveFlights);
        _gate.Open();

        Assert.Equal(Enumerable.Range(0, 100), await Task.WhenAll(old));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => -i), await Task.WhenAll(fresh));
    }

    [Fact]
    public async Task Cancel_SeveralResultTypes_EndsThemAllAndTokenOfTheCallback()
    {
        var pipeline = Build();
        var canceled = new Probe();
        var number = Call(pipeline, "key", context => Wait(context, 1));
        var text = Call(pipeline, "key", context => Wait(context, "a"));
        var other = Call(pipeline, "other", _ => Hold(2));
        await Probe.Reached(Started, 3);

        Assert.True(Group.Cancel("key"));

        await Assert.ThrowsAsync<FlightCanceledException>(() => number);
        var exception = await Assert.ThrowsAsync<FlightCanceledException>(() => text);
        Assert.Equal("SingleFlight", exception.TelemetrySource?.StrategyName);
        await canceled.Reached("canceled", 2);
        _gate.Open();
        Assert.Equal(2, await other);

        async Task<T> Wait<T>(ResilienceContext context, T value)
        {
            using var registration = context.CancellationToken.Register(() => canceled.Hit("canceled"));
            await _gate.Opened;
            return value;
        }
    }

    [Fact]
    public async Task Registry_ReloadAndDisposalInFlight_FlightsFinishAndTheGroupGoesOn()
    {
        var reload = new CancellationTokenSource();
        var registry = new Registry.ResiliencePipelineRegistry<string>();
        var pipeline = registry.GetOrAddPipeline("p", (builder, context) =>
        {
            context.AddReloadToken(reload.Token);
            builder.AddSingleFlight(Watched());
        });
        var early = Call(pipeline, "key", _ => Hold(1));
        await Probe.Reached(Started, 1);
        var previous = reload;
        reload = new CancellationTokenSource();
        await previous.CancelAsync();

        var late = Call(pipeline, "key", _ => Hold(2));
        await Probe.Reached(Joined, 1);
        var disposal = registry.DisposeAsync().AsTask();
        _gate.Open();

        Assert.Equal(new[] { 1, 1 }, await Task.WhenAll(early, late));
        await disposal.Soon();
    }

    [Fact]
    public async Task OptionsChangedAfterBuild_HaveNoEffect()
    {
        var options = Watched();
        var pipeline = Build(options);
        options.Group = new SingleFlightGroup();
        options.KeyGenerator = _ => throw new InvalidOperationException();

        Assert.Equal(1, await Call(pipeline, "key", _ => Task.FromResult(1)));
    }

    private async Task<int> Hold(int value)
    {
        await _gate.Opened;
        return value;
    }
}
