namespace Polly.SingleFlight.Caching.Tests;

/// <summary>Who keeps the result when the leader does not stay, or keeps it to itself.</summary>
public sealed class LeaderTests : CacheTest
{
    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Leader_LeavesDuringTheFlight_TheResultIsCachedNevertheless(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);
        var gate = new Gate();
        using var source = new CancellationTokenSource();
        var leader = Fetch(pipeline, "key", gate, source.Token);
        await Probe.Reached(Upstream, 1);
        var follower = Fetch(pipeline, "key");
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);
        gate.Open();

        Assert.Equal("key:1", await follower);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(1, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Leader_LeavesAndHandsOver_TheFollowersResultIsCached(CacheKind kind)
    {
        var pipeline = AddCache(Builder<string>("handed over"), kind, Counted<string>())
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string> { LeaderDeparture = LeaderDeparture.HandOver }))
            .Build();
        using var source = new CancellationTokenSource();
        var leader = Fetch(pipeline, "key", new Gate(), source.Token);
        // Not only started: a look at the cache comes before the callback.
        await Probe.Reached(Upstream, 1);
        var follower = Fetch(pipeline, "key");
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();

        await IsCanceledBy(leader, source.Token);
        Assert.Equal("key:2", await follower);
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    /// <summary>What is not shared is not kept either; what a follower gets by itself is kept if it may be shared.</summary>
    [Theory]
    [MemberData(nameof(Caches))]
    public async Task UnsharedOutcome_FollowersRunAloneAndKeepTheirResults(CacheKind kind)
    {
        var flights = new SingleFlightStrategyOptions<string> { ShouldShare = args => new(args.Outcome.Result != "key:1") };
        var pipeline = AddCache(Builder<string>("unshared"), kind, Counted<string>()).AddSingleFlight(Watched(flights)).Build();
        var gate = new Gate();
        var leader = Fetch(pipeline, "key", gate);
        await Probe.Reached(Upstream, 1);
        var follower = Fetch(pipeline, "key");
        await Probe.Reached(Joined, 1);
        gate.Open();

        Assert.Equal(("key:1", "key:2"), (await leader, await follower));
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Leader_LeavesAndItsContextIsReused_TheCacheTouchesNothingOfIt(CacheKind kind)
    {
        ResiliencePropertyKey<string> tenant = new("tenant");
        var options = Counted<string>();
        List<string> seen = [];
        options.ShouldCache = args =>
        {
            seen.Add(args.Context.Properties.GetValue(tenant, "none"));
            return new(true);
        };
        var pipeline = Cached(kind, options);
        var gate = new Gate();
        using var source = new CancellationTokenSource();
        var context = ResilienceContextPool.Shared.Get(source.Token);
        context.SetSingleFlightKey("key");
        context.Properties.Set(tenant, "mine");
        var leader = pipeline.ExecuteAsync(
            async (_, _) =>
            {
                var answer = Answer("key");
                await gate.Opened;
                return answer;
            },
            context,
            0).AsTask();
        await Probe.Reached(Upstream, 1);
        var follower = Fetch(pipeline, "key");
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);

        // As if the pool had given it to another tenant, with a pipeline and a key of its own.
        context.Properties.Set(tenant, "another's");
        context.SetSingleFlightKey("another key");
        gate.Open();
        Assert.Equal("key:1", await follower);

        Assert.Equal(["mine"], seen);
        Assert.Equal(("another's", "another key"), (context.Properties.GetValue(tenant, ""), context.GetSingleFlightKey()));
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        ResilienceContextPool.Shared.Return(context);
    }
}
