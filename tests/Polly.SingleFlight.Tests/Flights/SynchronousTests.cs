using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Polly.SingleFlight.Tests.Flights;

/// <summary>S12. These tests take the whole thread pool, so they run by themselves.</summary>
[Collection(nameof(WholeThreadPool))]
public sealed class SynchronousTests : FlightTest
{
    [Fact]
    public Task Execute_ThreadPoolExhaustedByBlockedFollowers_AllWake() => OnThread(() =>
    {
        var pipeline = Build();
        using var pool = new ExhaustedThreadPool();
        using var end = new ManualResetEventSlim();
        var leader = OnThread(() => pipeline.Execute(_ =>
        {
            end.Wait();
            return 1;
        }, Keyed()));
        Probe.WaitFor(Started, 1);
        var followers = pool.BlockEveryThread(() => pipeline.Execute(_ => 2, Keyed()));
        Probe.WaitFor(Joined, followers.Length);
        pool.WaitUntilAllAreBlocked();
        end.Set();

        Assert.Equal(1, WaitFor(leader));
        Assert.All(followers, follower => Assert.Equal(1, WaitFor(follower)));
        return true;
    });

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public Task Execute_ThreadPoolExhaustedWhileSomebodyListens_AllWake(bool toMeter, bool toActivities) => OnThread(() =>
    {
        var measured = 0;
        using var meters = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Polly.SingleFlight")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        meters.SetMeasurementEventCallback<long>((_, _, _, _) => Interlocked.Increment(ref measured));
        using var activities = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Polly.SingleFlight",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ => Interlocked.Increment(ref measured),
        };
        if (toMeter)
        {
            meters.Start();
        }

        if (toActivities)
        {
            ActivitySource.AddActivityListener(activities);
        }

        var pipeline = Build();
        using var pool = new ExhaustedThreadPool();
        using var end = new ManualResetEventSlim();
        using var source = new CancellationTokenSource();
        var leader = OnThread(() => pipeline.Execute(_ =>
        {
            end.Wait();
            return 1;
        }, Keyed()));
        Probe.WaitFor(Started, 1);
        var followers = pool.BlockEveryThread(() => pipeline.Execute(_ => 2, Keyed(source.Token)));
        Probe.WaitFor(Joined, followers.Length);
        pool.WaitUntilAllAreBlocked();
        end.Set();

        Assert.Equal(1, WaitFor(leader));
        Assert.All(followers, follower => Assert.Equal(1, WaitFor(follower)));
        Assert.True(measured >= followers.Length);
        return true;
    });

    [Fact]
    public Task Cancel_ThreadPoolExhausted_BlockedFollowerLeavesAtOnce() => OnThread(() =>
    {
        var pipeline = Build();
        using var pool = new ExhaustedThreadPool();
        using var end = new ManualResetEventSlim();
        using var source = new CancellationTokenSource();
        var leader = OnThread(() => pipeline.Execute(_ =>
        {
            end.Wait();
            return 1;
        }, Keyed()));
        Probe.WaitFor(Started, 1);
        var followers = pool.BlockEveryThread(() => pipeline.Execute(_ => 2, Keyed()));
        var leaver = OnThread(() => pipeline.Execute(_ => 3, Keyed(source.Token)));
        Probe.WaitFor(Joined, followers.Length + 1);
        source.Cancel();

        var exception = Assert.Throws<AggregateException>(() => WaitFor(leaver));
        Assert.Equal(source.Token, Assert.IsType<OperationCanceledException>(exception.InnerException).CancellationToken);
        end.Set();
        Assert.Equal(1, WaitFor(leader));
        Assert.All(followers, follower => Assert.Equal(1, WaitFor(follower)));
        return true;
    });

    [Fact]
    public async Task Execute_SyncAndAsyncCallers_ShareOneExecution()
    {
        var pipeline = Build();
        var gate = new Gate();
        var runs = 0;
        var callers = Enumerable.Range(0, 10).Select(i => i % 2 == 0
            ? Call(pipeline, "key", async _ =>
            {
                Interlocked.Increment(ref runs);
                await gate.Opened;
                return 1;
            })
            : SyncCall.Start("key", CancellationToken.None, null, context => pipeline.Execute(_ =>
            {
                Interlocked.Increment(ref runs);
                gate.Opened.Wait();
                return 1;
            }, context))).ToArray();
        await Probe.Reached(Joined, 9);
        gate.Open();

        Assert.All(await Task.WhenAll(callers), value => Assert.Equal(1, value));
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task Publish_FollowersContinuationBlocks_NobodyElseIsHeld()
    {
        var pipeline = Build();
        var gate = new Gate();
        using var release = new ManualResetEventSlim();
        var context = Keyed();
        var leader = Call(pipeline, "key", async _ =>
        {
            await gate.Opened;
            return 1;
        });
        await Probe.Reached(Started, 1);

        // A continuation that would run inside whoever completes the task.
        var blocking = pipeline.ExecuteAsync(_ => new ValueTask<int>(2), context).AsTask().ContinueWith(
            _ => release.Wait(), TestContext.Current.CancellationToken, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await Probe.Reached(Joined, 1);
        var other = Call(pipeline, "key", _ => Task.FromResult(3));
        await Probe.Reached(Joined, 2);
        gate.Open();

        Assert.Equal(new[] { 1, 1 }, await Task.WhenAll(leader, other));
        Assert.False(blocking.IsCompleted);
        release.Set();
        await blocking.Soon();
        ResilienceContextPool.Shared.Return(context);
    }

    [Fact]
    public async Task Publish_HundredThousandFollowers_AllAreServed()
    {
        var pipeline = new ResiliencePipelineBuilder().AddSingleFlight(new SingleFlightStrategyOptions { Group = Group }).Build();
        var gate = new Gate();
        var callers = Enumerable.Range(0, 100_001).Select(_ => pipeline.ExecuteSingleFlightAsync("key", async _ =>
        {
            await gate.Opened;
            return 1;
        }).AsTask()).ToArray();
        Assert.Equal(100_001, Assert.Single(Group.GetFlights()).CallerCount);
        gate.Open();

        Assert.Equal(100_001, (await Task.WhenAll(callers).Soon()).Sum());
    }

    private static ResilienceContext Keyed(CancellationToken token = default)
    {
        var context = ResilienceContextPool.Shared.Get(token);
        context.SetSingleFlightKey("key");
        return context;
    }

    private static Task<T> OnThread<T>(Func<T> run) => SyncCall.StartUnlimited("unused", default, null, _ => run());

    /// <summary>Blocks this thread, which is not one of the pool's, as the pool has none left.</summary>
    private static T WaitFor<T>(Task<T> task)
    {
        Assert.True(task.Wait(TimeSpan.FromSeconds(60)), "Nobody woke.");
        return task.Result;
    }
}

[CollectionDefinition(nameof(WholeThreadPool), DisableParallelization = true)]
public sealed class WholeThreadPool;
