namespace Polly.SingleFlight.Tests.Interception;

/// <summary>Interceptors of followers.</summary>
public sealed partial class FlightInterceptorTests
{
    /// <summary>Of equal identities one works, the leader's; others follow in the order in which their callers joined.</summary>
    [Fact]
    public async Task Followers_WithAnotherIdentity_TheirInterceptorsWorkAfterTheLeaders()
    {
        var gate = new Gate();
        var pipeline = Pipeline();
        var callers = new List<Task<string>>
        {
            Run(pipeline, "key", new RecordingInterceptor("a", _log, "leader"), async _ =>
            {
                await gate.Opened;
                return "result";
            }),
        };
        foreach (var (identity, name) in new[] { ("b", "first"), ("a", "second"), ("c", "third"), ("b", "fourth") })
        {
            callers.Add(Run(pipeline, "key", new RecordingInterceptor(identity, _log, name), _ => Task.FromResult("not called")));
            await Probe.Reached(Joined, callers.Count - 1);
        }

        gate.Open();
        Assert.All(await Task.WhenAll(callers), static result => Assert.Equal("result", result));

        Assert.Equal(
            [
                "leader: before", "first: following", "second: following", "third: following", "fourth: following",
                "leader: after result", "first: after result", "third: after result",
            ],
            _log);
    }

    [Fact]
    public async Task Follower_IsElected_ItsInterceptorWorksForTheSuccessor()
    {
        var pipeline = Pipeline(new SingleFlightStrategyOptions<string> { LeaderDeparture = LeaderDeparture.HandOver });
        using var source = new CancellationTokenSource();
        var leader = Run(pipeline, "key", new RecordingInterceptor(this, _log, "leader"), async context =>
        {
            await Task.Delay(System.Threading.Timeout.Infinite, context.CancellationToken);
            return "never";
        }, source.Token);
        await Probe.Reached(Started, 1);
        var follower = Run(pipeline, "key", new RecordingInterceptor(this, _log, "follower"), _ => Task.FromResult("follower's"));
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);

        Assert.Equal("follower's", await follower);
        Assert.Equal(
            ["follower: following", "follower: before", "follower: after follower's"],
            _log.Where(static entry => entry.StartsWith("follower", StringComparison.Ordinal)));
    }

    /// <summary>Another thread may let the caller go as soon as it has joined, and its own thread still tells its interceptor.</summary>
    [Fact]
    public async Task Follower_IsLetGoWhileItStillSetsUp_ItsInterceptorIsTold()
    {
        var gate = new Gate();
        var pipeline = Pipeline();
        var leader = Run(pipeline, "key", null, async _ =>
        {
            await gate.Opened;
            return "result";
        });
        await Probe.Reached(Started, 1);
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        context.Properties.SetProperties(new SlowProperties("Polly.SF.Part", () =>
        {
            gate.Open();
            Assert.Equal("result", leader.Soon().GetAwaiter().GetResult());
        }), out _);
        context.SetSingleFlightKey("key");
        context.SetFlightInterceptor(Own());
        var follower = await Task.Run(() => pipeline.ExecuteAsync(static _ => new ValueTask<string>("not called"), context).AsTask()).Soon();

        Assert.Equal("result", follower);
        Assert.Equal(["own: following"], _log);
        Assert.Null(context.GetFlightInterceptor());
    }
}
