namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>What a caller can learn of what the cache had to do with its result.</summary>
public class CacheResultTests(RedisServer redis) : RealCacheTest(redis)
{
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task LeaderFollowerAndHit_SeeTheSameTimes(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<string>(refreshes: true));
        var gate = new Gate();
        var start = Clock.GetUtcNow();
        var leader = Ask(pipeline, "k", "value", gate);
        await Probe.Reached(Upstream, 1);
        var follower = Ask(pipeline, "k", "unused");
        await Probe.Reached(Joined, 1);
        Clock.Advance(s_minute);
        gate.Open();

        var leaders = (await leader).Cache!;
        var followers = (await follower).Cache!;
        var hits = (await Ask(pipeline, "k", "unused")).Cache!;

        Assert.False(leaders.IsHit);
        Assert.False(followers.IsHit);
        Assert.True(hits.IsHit);
        Assert.All([leaders, followers, hits], result =>
        {
            Assert.False(result.IsStale);
            Assert.Equal(start, result.StartedAt);
            Assert.Equal(start + s_minute, result.StoredAt);
            Assert.Equal(start + (11 * s_minute), result.ExpiresAt);

            // Up to 10 % earlier than five minutes.
            Assert.InRange(result.RefreshAt!.Value, start + (5.5 * s_minute), start + (6 * s_minute));
        });
        Assert.Equal(leaders.RefreshAt, hits.RefreshAt);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task Stale_IsSaid(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<string>(configure: options => options.StaleOnError = 60 * s_minute));
        await Read(pipeline, "k", "value");
        Clock.Advance(11 * s_minute);

        var answer = await Ask<string>(pipeline, "k", _ => throw new InvalidOperationException("upstream failed"));

        Assert.Equal("value", answer.Value);
        Assert.True(answer.Cache!.IsHit);
        Assert.True(answer.Cache.IsStale);
        Assert.True(answer.Cache.ExpiresAt < Clock.GetUtcNow());
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task NotKept_IsSaid(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<string>(configure: options => options.ShouldCache = _ => new(false)));

        var result = (await Ask(pipeline, "k", "value")).Cache!;

        Assert.False(result.IsHit);
        Assert.Null(result.StoredAt);
        Assert.Null(result.ExpiresAt);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task Failure_LeaderAndFollower_HaveNone(CacheKind kind)
    {
        var pipeline = Cached<string>(NewNode(kind));
        var gate = new Gate();
        var leader = Failing(gate);
        await Probe.Reached(Upstream, 1);
        var follower = Failing(gate);
        await Probe.Reached(Joined, 1);
        gate.Open();

        Assert.Null(await leader);
        Assert.Null(await follower);

        async Task<CacheResult?> Failing(Gate gate)
        {
            var context = ResilienceContextPool.Shared.Get();
            context.SetSingleFlightKey("k");
            await Assert.ThrowsAsync<InvalidOperationException>(() => pipeline.ExecuteAsync<string>(
                async _ =>
                {
                    Probe.Hit(Upstream);
                    await gate.Opened;
                    throw new InvalidOperationException("upstream failed");
                },
                context).AsTask());
            var result = context.GetCacheResult();
            ResilienceContextPool.Shared.Return(context);
            return result;
        }
    }

    /// <summary>A context that is used again does not show what an earlier execution left in it.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ReusedContext_ShowsTheLastExecutionOnly(CacheKind kind)
    {
        var pipeline = Cached<string>(NewNode(kind));
        var context = ResilienceContextPool.Shared.Get();
        context.SetSingleFlightKey("k");
        await Execute("value");
        Assert.False(context.GetCacheResult()!.IsHit);
        await Execute("unused");
        Assert.True(context.GetCacheResult()!.IsHit);

        context.SetCacheMode(CacheMode.Bypass);
        await Execute("bypassed");
        Assert.Null(context.GetCacheResult());

        context.SetCacheMode(CacheMode.Default);
        await Execute("unused");
        Assert.True(context.GetCacheResult()!.IsHit);
        context.SetSingleFlightKey(null);
        await Execute("without a key");
        Assert.Null(context.GetCacheResult());

        context.SetSingleFlightKey("another");
        await Assert.ThrowsAsync<InvalidOperationException>(() => pipeline.ExecuteAsync<string>(_ => throw new InvalidOperationException("upstream failed"), context).AsTask());
        Assert.Null(context.GetCacheResult());
        ResilienceContextPool.Shared.Return(context);

        Task<string> Execute(string value) => pipeline.ExecuteAsync(_ => new ValueTask<string>(value), context).AsTask();
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task WithoutFlight_IsSaidToo(CacheKind kind)
    {
        var pipeline = NewNode(kind).Add(Builder<string>(), Counted<string>()).Build();

        var miss = (await Ask(pipeline, "k", "value")).Cache!;
        var hit = (await Ask(pipeline, "k", "unused")).Cache!;

        Assert.False(miss.IsHit);
        Assert.Equal(miss.StoredAt, hit.StoredAt);
        Assert.True(hit.IsHit);
    }
}
