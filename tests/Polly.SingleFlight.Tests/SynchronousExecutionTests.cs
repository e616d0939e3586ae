namespace Polly.SingleFlight.Tests;

/// <summary><c>ExecuteSingleFlight</c>: a key and a callback, synchronously.</summary>
public sealed class SynchronousExecutionTests : FlightTest
{
    [Fact]
    public async Task ExecuteSingleFlight_ConcurrentCallers_OneCallbackRunsForAll()
    {
        var pipeline = Build();
        var typed = Build(Watched(new SingleFlightStrategyOptions<object>()));
        using var end = new ManualResetEventSlim();
        var runs = 0;
        string Run(CancellationToken token)
        {
            Assert.False(token.IsCancellationRequested);
            Interlocked.Increment(ref runs);
            end.Wait(token);
            return "result";
        }

        var callers = new List<Task<string>>();
        for (var i = 0; i < 6; i++)
        {
            var isTyped = i % 2 == 1;
            callers.Add(SyncCall.Start(() => isTyped ? typed.ExecuteSingleFlight("key", Run) : pipeline.ExecuteSingleFlight("key", Run)));
            await (i == 0 ? Probe.Reached(Started, 1) : Probe.Reached(Joined, i));
        }

        end.Set();

        Assert.All(await Task.WhenAll(callers).Soon(), static result => Assert.Equal("result", result));
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task ExecuteSingleFlight_WithoutResult_FollowersReturnWhenTheLeaderDoes()
    {
        var pipeline = Build();
        using var end = new ManualResetEventSlim();
        var runs = 0;
        var leader = SyncCall.Start(() => Call());
        await Probe.Reached(Started, 1);
        var follower = SyncCall.Start(() => Call());
        await Probe.Reached(Joined, 1);
        Assert.False(follower.IsCompleted);
        end.Set();
        await Task.WhenAll(leader, follower).Soon();

        Assert.Equal(1, runs);

        bool Call()
        {
            pipeline.ExecuteSingleFlight("key", token =>
            {
                Interlocked.Increment(ref runs);
                end.Wait(token);
            });
            return true;
        }
    }

    [Fact]
    public async Task ExecuteSingleFlight_FollowersTokenFires_ItLeavesWithItsOwn()
    {
        var pipeline = Build();
        using var end = new ManualResetEventSlim();
        using var source = new CancellationTokenSource();
        var leader = SyncCall.Start(() => pipeline.ExecuteSingleFlight("key", token =>
        {
            end.Wait(token);
            return 1;
        }));
        await Probe.Reached(Started, 1);
        var follower = SyncCall.Start(() => pipeline.ExecuteSingleFlight("key", static _ => 2, source.Token));
        await Probe.Reached(Joined, 1);

        await source.CancelAsync();

        await IsCanceledBy(follower, source.Token);
        end.Set();
        Assert.Equal(1, await leader);
    }

    [Fact]
    public void ExecuteSingleFlight_CallbackThrows_CallerGetsTheException()
    {
        var pipeline = Build();

        Assert.Throws<FormatException>(() => pipeline.ExecuteSingleFlight<int>("key", static _ => throw new FormatException()));
        Assert.Throws<FormatException>(() => pipeline.ExecuteSingleFlight("key", (Action<CancellationToken>)(static _ => throw new FormatException())));
        Assert.Equal(0, Group.ActiveFlights);
    }

    [Fact]
    public void ExecuteSingleFlight_NullArguments_AreRefused()
    {
        var pipeline = ResiliencePipeline.Empty;
        var typed = ResiliencePipeline<object>.Empty;

        Assert.Throws<ArgumentNullException>("pipeline", () => ((ResiliencePipeline)null!).ExecuteSingleFlight("key", static _ => 1));
        Assert.Throws<ArgumentNullException>("key", () => pipeline.ExecuteSingleFlight(null!, static _ => 1));
        Assert.Throws<ArgumentNullException>("callback", () => pipeline.ExecuteSingleFlight("key", (Func<CancellationToken, int>)null!));
        Assert.Throws<ArgumentNullException>("key", () => pipeline.ExecuteSingleFlight(null!, static _ => { }));
        Assert.Throws<ArgumentNullException>("callback", () => pipeline.ExecuteSingleFlight("key", (Action<CancellationToken>)null!));
        Assert.Throws<ArgumentNullException>("key", () => typed.ExecuteSingleFlight(null!, static _ => "x"));
        Assert.Throws<ArgumentNullException>("callback", () => typed.ExecuteSingleFlight<object, string>("key", null!));
    }
}
