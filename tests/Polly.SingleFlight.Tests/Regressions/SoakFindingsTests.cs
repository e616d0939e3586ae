namespace Polly.SingleFlight.Tests.Regressions;

/// <summary>What the random soak found, made to happen every time.</summary>
public sealed class SoakFindingsTests : FlightTest
{
    [Fact]
    public async Task GroupCancel_CallbackObeysItsTokenBeforeTheLeaderIsReleased_LeaderStillGetsFlightCanceledException()
    {
        var pipeline = new ResiliencePipelineBuilder().AddSingleFlight(new SingleFlightStrategyOptions { Group = Group }).Build();
        var leader = Start();

        // So many that the callback has ended long before all of them, and after them the leader, are released.
        var followers = Enumerable.Range(0, 20_000).Select(_ => Start()).ToArray();
        Assert.True(Group.Cancel("key"));

        await Assert.ThrowsAsync<FlightCanceledException>(() => leader.Soon());
        foreach (var follower in followers)
        {
            await Assert.ThrowsAsync<FlightCanceledException>(() => follower.Soon());
        }

        Task<int> Start() => pipeline.ExecuteSingleFlightAsync("key", async token =>
        {
            await Task.Delay(System.Threading.Timeout.Infinite, token);
            return 1;
        }).AsTask();
    }

    [Fact]
    public async Task GroupCancel_FollowerJoinsAfterTheClockWasRead_WaitTimeIsNotNegative()
    {
        var clock = new HookedClock();
        var pipeline = new ResiliencePipelineBuilder { TimeProvider = clock }.AddSingleFlight(Watched()).Build();
        var gate = new Gate();
        SingleFlightResult? result = null;
        var leader = Call(pipeline, "key", Hold);
        await Probe.Reached(Started, 1);
        var follower = default(Task<int>);
        clock.Hook = () =>
        {
            clock.Now += 100;
            follower = Call(pipeline, "key", Hold, after: context => result = context.GetSingleFlightResult());
        };
        Group.Cancel("key");

        await Assert.ThrowsAsync<FlightCanceledException>(() => leader);
        await Assert.ThrowsAsync<FlightCanceledException>(() => follower!);
        Assert.Equal(TimeSpan.Zero, result?.WaitTime);
        gate.Open();

        async Task<int> Hold(ResilienceContext context)
        {
            await gate.Opened;
            return 1;
        }
    }

    [Fact]
    public async Task Abandoned_CallbackFailsAfterTheCallerReturned_IsNotReportedOnItsContext()
    {
        var listener = new RecordingListener();
        var (fail, failed) = (new Gate(), new Gate());
        var options = Watched();
        options.OnFlightAbandoned += async _ =>
        {
            await fail.Opened;
            throw new FormatException();
        };
        listener.Written = name =>
        {
            if (name == "OnFlightCallbackFailed")
            {
                failed.Open();
            }
        };
        var pipeline = new ResiliencePipelineBuilder { TelemetryListener = listener }.AddSingleFlight(options).Build();
        using var source = new CancellationTokenSource();
        var context = ResilienceContextPool.Shared.Get(source.Token);
        context.SetSingleFlightKey("key");
        var end = new Gate();
        var caller = pipeline.ExecuteAsync(async _ =>
        {
            await end.Opened;
            return 1;
        }, context).AsTask();
        await source.CancelAsync();
        await IsCanceledBy(caller, source.Token);

        // Kept out of the pool here, so that the context of the report is surely another one.
        fail.Open();
        await failed.Opened.Soon();
        Assert.NotSame(context, Assert.Single(listener.Reports, report => report.Name == "OnFlightCallbackFailed").Context);
        end.Open();
    }

    [Fact]
    public async Task Reentrancy_LeaderLeftWhileItsCallbackRunsSynchronously_OuterFlightStillWaitsForIt()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();

        // On one thread: A waits for B, whose leader has left on paper only, and B wants A.
        var outer = SyncCall.Start("A", CancellationToken.None, null, context => pipeline.Execute(_ =>
        {
            var inner = Assert.Throws<OperationCanceledException>(() => Execute("B", source.Token, () =>
            {
                source.Cancel();
                return Execute("A", CancellationToken.None, () => 42);
            }));
            Assert.Equal(source.Token, inner.CancellationToken);
            return 1;
        }, context));

        Assert.Equal(1, await outer);
        Assert.Equal([BypassReason.Reentrancy], Reasons);

        int Execute(object key, CancellationToken token, Func<int> callback)
        {
            var context = ResilienceContextPool.Shared.Get(token);
            context.SetSingleFlightKey(key);
            try
            {
                return pipeline.Execute(_ => callback(), context);
            }
            finally
            {
                ResilienceContextPool.Shared.Return(context);
            }
        }
    }

    private sealed class HookedClock : TimeProvider
    {
        public long Now { get; set; } = 1000;

        public Action? Hook { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp()
        {
            var now = Now;
            var hook = Hook;
            Hook = null;
            hook?.Invoke();
            return now;
        }
    }
}
