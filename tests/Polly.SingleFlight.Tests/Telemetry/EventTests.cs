using Polly.Telemetry;

namespace Polly.SingleFlight.Tests.Telemetry;

/// <summary>S14: Polly events and option callbacks.</summary>
public sealed class EventTests : FlightTest
{
    private readonly RecordingListener _listener = new();
    private readonly Gate _gate = new();

    [Fact]
    public async Task Report_LeaderAndFollower_OnTheirOwnContextsWithoutOutcome()
    {
        var pipeline = Build(Watched());
        ResilienceContext? leads = null, follows = null;
        var leader = Call(pipeline, "secret", Hold, before: context => leads = context);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "secret", Hold, before: context => follows = context);
        await Probe.Reached(Joined, 1);
        _gate.Open();
        await Task.WhenAll(leader, follower);

        Assert.Equal(
            [
                ("OnFlightStarted", ResilienceEventSeverity.Debug, leads),
                ("OnFlightJoined", ResilienceEventSeverity.Debug, follows),
                ("OnFlightCompleted", ResilienceEventSeverity.Debug, leads),
            ],
            _listener.Reports.Select(report => (report.Name, report.Severity, (ResilienceContext?)report.Context)));
        Assert.All(_listener.Reports, report => Assert.False(report.HasOutcome));
        Assert.All(_listener.Reports, report => Assert.DoesNotContain("secret", report.Arguments ?? string.Empty, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Report_LeaderLeft_CompletedGoesToTheFlightsContext()
    {
        var pipeline = Build(Watched());
        using var source = new CancellationTokenSource();
        ResilienceContext? leads = null, flies = null;
        var leader = Call(pipeline, "key", async context =>
        {
            flies = context;
            await _gate.Opened;
            return 1;
        }, source.Token, before: context => leads = context);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", Hold);
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);
        _gate.Open();
        await follower;
        await Probe.Reached(Completed, 1);

        var completed = Assert.Single(_listener.Reports, report => report.Name == "OnFlightCompleted");
        Assert.Same(flies, completed.Context);
        Assert.NotSame(leads, completed.Context);
    }

    [Fact]
    public async Task Report_LastCallerLeaves_AbandonedBeforeItReturns()
    {
        var options = Watched();
        var handler = new Gate();
        options.OnFlightAbandoned += async _ => await handler.Opened;
        var pipeline = Build(options);
        using var source = new CancellationTokenSource();
        var abandoned = 0;
        var leader = Call(pipeline, "key", Hold, source.Token, after: _ => abandoned = _listener.Count("OnFlightAbandoned"));
        await Probe.Reached(Started, 1);
        await source.CancelAsync();

        // The callback of the options has not finished, and is not waited for.
        await IsCanceledBy(leader, source.Token);
        Assert.Equal(1, abandoned);
        var report = Assert.Single(_listener.Reports, report => report.Name == "OnFlightAbandoned");
        Assert.Equal(ResilienceEventSeverity.Information, report.Severity);
        handler.Open();
        _gate.Open();
    }

    [Fact]
    public async Task Report_Bypass_DebugForNoKeyAndWarningForReentrancy()
    {
        var pipeline = Build(Watched());

        await Call(pipeline, "", _ => Task.FromResult(1));
        await Call(pipeline, "key", _ => Call(pipeline, "key", _ => Task.FromResult(1)));

        Assert.Equal(
            [ResilienceEventSeverity.Debug, ResilienceEventSeverity.Warning],
            _listener.Reports.Where(report => report.Name == "OnFlightBypassed").Select(report => report.Severity));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Callbacks_Throw_FailNobodyAndAreReported(bool asynchronously)
    {
        Func<ValueTask> fail = asynchronously
            ? async () =>
            {
                await Task.Yield();
                throw new FormatException();
            }
        : () => throw new FormatException();
        var options = Watched();
        options.OnFlightStarted += _ => fail();
        options.OnFlightJoined += _ => fail();
        options.OnFlightCompleted += _ => fail();
        options.OnFlightBypassed += _ => fail();
        options.OnFlightAbandoned += _ => fail();
        var pipeline = Build(options);
        using var source = new CancellationTokenSource();
        var leader = Call(pipeline, "key", Hold);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", Hold);
        await Probe.Reached(Joined, 1);
        _gate.Open();
        Assert.Equal(new[] { 1, 1 }, await Task.WhenAll(leader, follower));
        Assert.Equal(2, await Call(pipeline, "", _ => Task.FromResult(2)));
        var (running, end) = (new Gate(), new Gate());
        var abandons = Call(pipeline, "key", async _ =>
        {
            running.Open();
            await end.Opened;
            return 1;
        }, source.Token);
        await running.Opened.Soon();
        await source.CancelAsync();
        await IsCanceledBy(abandons, source.Token);
        end.Open();

        var failures = _listener.Reports.Where(report => report.Name == "OnFlightCallbackFailed").ToArray();
        Assert.All(failures, report => Assert.Equal((ResilienceEventSeverity.Error, false), (report.Severity, report.HasOutcome)));
        foreach (var name in new[] { "OnFlightStarted", "OnFlightJoined", "OnFlightCompleted", "OnFlightBypassed" })
        {
            Assert.Contains(failures, report => report.Arguments == $"CallbackFailedArguments {{ Callback = {name}, ExceptionType = System.FormatException }}");
        }
    }

    [Fact]
    public async Task Listener_Throws_FailsNobody()
    {
        _listener.Throws = true;
        var pipeline = Build(Watched());
        var leader = Call(pipeline, "key", Hold);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", Hold);
        await Probe.Reached(Joined, 1);
        _gate.Open();

        Assert.Equal(new[] { 1, 1 }, await Task.WhenAll(leader, follower));
        Assert.Equal(2, await Call(pipeline, "", _ => Task.FromResult(2)));
    }

    [Fact]
    public async Task Callbacks_StillRunning_CallerReturnsOnlyWhenTheyAreDone()
    {
        var (joined, completed) = (new Gate(), new Gate());
        var options = Watched();
        options.OnFlightJoined += async _ => await joined.Opened;
        options.OnFlightCompleted += async _ => await completed.Opened;
        var pipeline = Build(options);
        using var source = new CancellationTokenSource();
        var leader = Call(pipeline, "key", Hold);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", Hold);
        var leaver = Call(pipeline, "key", Hold, source.Token);
        await Probe.Reached(Joined, 2);
        await source.CancelAsync();

        // Its departure counts although the callback still uses its context.
        Assert.Equal(2, Assert.Single(Group.GetFlights()).CallerCount);
        _gate.Open();
        await Probe.Reached(Completed, 1);
        Assert.False(leader.IsCompleted || follower.IsCompleted || leaver.IsCompleted);
        joined.Open();
        Assert.Equal(1, await follower);
        await IsCanceledBy(leaver, source.Token);
        completed.Open();
        Assert.Equal(1, await leader);
    }

    [Fact]
    public async Task Started_StillRunningWhenEverybodyLeaves_CallbackNeverBegins()
    {
        var started = new Gate();
        var options = Watched();
        options.OnFlightStarted += async _ => await started.Opened;
        var pipeline = Build(options);
        using var source = new CancellationTokenSource();
        var began = false;
        var leader = Call(pipeline, "key", _ =>
        {
            began = true;
            return Task.FromResult(1);
        }, source.Token);
        await Probe.Reached(Started, 1);
        await source.CancelAsync();
        started.Open();

        await IsCanceledBy(leader, source.Token);
        Assert.False(began);
        Assert.Equal(1, Probe[Abandoned]);
    }

    [Fact]
    public async Task Elected_WhileItsJoinedCallbackStillRuns_WaitsForIt()
    {
        var joined = new Gate();
        var options = Watched();
        options.OnFlightJoined += async _ => await joined.Opened;
        var pipeline = Build(options);
        var neverElected = Watched();
        neverElected.MaxElections = 0;
        using var source = new CancellationTokenSource();
        var leader = Call(pipeline, "key", async _ =>
        {
            await Task.Delay(System.Threading.Timeout.Infinite, source.Token);
            return 0;
        }, source.Token);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", _ => Task.FromResult(2));
        await Probe.Reached(Joined, 1);
        var witness = Call(Build(neverElected), "key", _ => Task.FromResult(3));
        await Probe.Reached(Joined, 2);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);

        // The witness runs alone because of the election, so the election is over; its winner must not have begun.
        Assert.Equal(3, await witness);
        await Task.Yield();
        Assert.Equal(1, Probe[Started]);
        joined.Open();

        Assert.Equal(2, await follower);
        Assert.Equal(2, Probe[Started]);
    }

    [Fact]
    public void Arguments_Constructors_KeepWhatTheyAreGiven()
    {
        var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);

        Assert.Same(context, new SingleFlightKeyGeneratorArguments(context).Context);
        Assert.Equal((7, 2), (new OnFlightStartedArguments(context, 7, 2).FlightId, new OnFlightStartedArguments(context, 7, 2).CallerCount));
        Assert.Equal((7, 2), (new OnFlightJoinedArguments(context, 7, 2).FlightId, new OnFlightJoinedArguments(context, 7, 2).CallerCount));
        Assert.Equal((7, 2), (new OnFlightCompletedArguments(context, 7, 2).FlightId, new OnFlightCompletedArguments(context, 7, 2).CallerCount));
        Assert.Equal((7, 2), (new OnFlightAbandonedArguments(context, 7, 2).FlightId, new OnFlightAbandonedArguments(context, 7, 2).CallerCount));
        Assert.Equal(BypassReason.Limit, new OnFlightBypassedArguments(context, BypassReason.Limit).Reason);
        Assert.Equal(3, new ShouldSharePredicateArguments<int>(context, Outcome.FromResult(3)).Outcome.Result);
        Assert.Equal(3, new ResultClonerArguments<int>(context, 3).Result);
        ResilienceContextPool.Shared.Return(context);
    }

    private new ResiliencePipeline Build(SingleFlightStrategyOptions options) =>
        new ResiliencePipelineBuilder { TimeProvider = Clock, TelemetryListener = _listener }.AddSingleFlight(options).Build();

    private async Task<int> Hold(ResilienceContext context)
    {
        await _gate.Opened;
        return 1;
    }
}
