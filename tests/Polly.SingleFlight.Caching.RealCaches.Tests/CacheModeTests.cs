namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>What one execution does with the cache, by <c>SetCacheMode</c>.</summary>
public class CacheModeTests(RedisServer redis) : RealCacheTest(redis)
{
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task RefreshMode_TenCallers_CoalesceAndKeep(CacheKind kind)
    {
        var pipeline = Pipeline(NewNode(kind));
        await Read(pipeline, "k", "old");
        var gate = new Gate();
        var refreshes = Enumerable.Range(0, 10).Select(_ => Read(pipeline, "k", "new", gate, mode: CacheMode.Refresh)).ToList();
        await Probe.Reached(Joined, 9);
        Assert.Equal("old", await Read(pipeline, "k", "unused"));
        gate.Open();

        Assert.All(await Task.WhenAll(refreshes), value => Assert.Equal("new", value));

        Assert.Equal("new", await Read(pipeline, "k", "unused"));
        Assert.Equal(2, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task BypassMode_NeitherLooksNorKeeps_ButCoalesces(CacheKind kind)
    {
        var pipeline = Pipeline(NewNode(kind));
        await Read(pipeline, "k", "kept");
        var gate = new Gate();
        var leader = Ask(pipeline, "k", "past it", gate, mode: CacheMode.Bypass);
        await Probe.Reached(Upstream, 2);
        var follower = Ask(pipeline, "k", "unused", mode: CacheMode.Bypass);
        await Probe.Reached(Joined, 1);
        gate.Open();

        Assert.Equal("past it", (await leader).Value);
        Assert.Equal("past it", (await follower).Value);
        Assert.Null((await leader).Cache);
        Assert.Null((await follower).Cache);
        Assert.Equal("kept", await Read(pipeline, "k", "unused"));
        Assert.Equal(2, Probe[Upstream]);
    }

    /// <summary>A caller that bypasses the cache leads a flight that one with the cache joins: that one's result is kept.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task BypassMode_FollowerWithTheCache_KeepsTheResult(CacheKind kind)
    {
        var pipeline = Pipeline(NewNode(kind));
        var gate = new Gate();
        var leader = Read(pipeline, "k", "value", gate, mode: CacheMode.Bypass);
        await Probe.Reached(Upstream, 1);
        var follower = Ask(pipeline, "k", "unused");
        await Probe.Reached(Joined, 1);
        gate.Open();
        await leader;

        var answer = await follower;
        Assert.Equal("value", answer.Value);
        Assert.NotNull(answer.Cache?.StoredAt);
        Assert.Equal("value", await Read(pipeline, "k", "unused"));
        Assert.Equal(1, Probe[Upstream]);
    }

    private ResiliencePipeline<string> Pipeline(Node node) => Cached(node, Counted<string>(refreshes: true));
}
