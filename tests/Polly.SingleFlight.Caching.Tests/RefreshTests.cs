namespace Polly.SingleFlight.Caching.Tests;

/// <summary>Refresh ahead: who sets it off, who waits for it, and what becomes of it.</summary>
public sealed class RefreshTests : CacheTest
{
    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Hit_AfterRefreshAfter_ReturnsAtOnceAndRefreshesInTheBackground(CacheKind kind)
    {
        var options = Counted<string>(refreshAfter: 8 * s_second);
        var pipeline = Cached(kind, options);
        var gate = new Gate();
        await Fetch(pipeline, "key");

        // A refresh may come earlier by a tenth, so that those of many entries do not come together.
        Clock.Advance((7.2 * s_second) - TimeSpan.FromTicks(1));
        Assert.Equal("key:1", await Fetch(pipeline, "key", gate));
        await PoolReached();
        Assert.Equal(1, Probe[Upstream]);

        Clock.Advance((0.8 * s_second) + TimeSpan.FromTicks(1));
        Assert.Equal("key:1", await Fetch(pipeline, "key", gate));
        await Probe.Reached(Upstream, 2);
        Assert.Equal("key:1", await Fetch(pipeline, "key", gate));
        gate.Open();
        await Probe.Reached(Refreshed, 1);

        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        Clock.Advance(7 * s_second);
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        Assert.Equal(2, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task FromExpiresIn_RefreshesAtFourFifthsOfTheLifetime(CacheKind kind)
    {
        var options = Counted<string>();
        options.LifetimeGenerator = args => new(CacheLifetime.FromExpiresIn(100 * s_second, args.Elapsed));
        var pipeline = Cached(kind, options);
        await Fetch(pipeline, "key");
        Clock.Advance(57 * s_second);
        await Fetch(pipeline, "key");
        await PoolReached();
        Assert.Equal(1, Probe[Upstream]);
        Clock.Advance(7 * s_second);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        await Probe.Reached(Refreshed, 1);
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(CachesAndEither))]
    public async Task Hits_DuringARefresh_SetOffNoOther(CacheKind kind, bool withFlight)
    {
        var pipeline = Cached(kind, Counted<string>(refreshAfter: 8 * s_second), withFlight);
        var gate = new Gate();
        await Fetch(pipeline, "key");
        Clock.Advance(8 * s_second);

        var hits = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => Fetch(pipeline, "key", gate))));
        await Probe.Reached(Upstream, 2);
        gate.Open();
        await Probe.Reached(Refreshed, 1);

        Assert.All(hits, hit => Assert.Equal("key:1", hit));
        Assert.Equal((2, 1), (Probe[Upstream], Probe[Refreshed]));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Refresh_OfAKey_LeavesOthersAlone(CacheKind kind)
    {
        var pipeline = Cached(kind, Counted<string>(refreshAfter: 8 * s_second));
        var gate = new Gate();
        await Fetch(pipeline, "a");
        await Fetch(pipeline, "b");
        Clock.Advance(8 * s_second);
        await Fetch(pipeline, "a", gate);
        await Probe.Reached("upstream a", 2);
        Assert.Equal("b:2", await Fetch(pipeline, "b"));
        await Probe.Reached(Refreshed, 1);

        Assert.StartsWith("b:4", await Fetch(pipeline, "b"), StringComparison.Ordinal);
        gate.Open();
        await Probe.Reached(Refreshed, 2);
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Refresh_OfASynchronousExecution_RunsInTheBackgroundToo(CacheKind kind)
    {
        var pipeline = Cached(kind, Counted<string>(refreshAfter: 8 * s_second));
        var gate = new Gate();

        Assert.Equal("key:1", Execute());
        Clock.Advance(8 * s_second);
        Assert.Equal("key:1", Execute(gate));
        await Probe.Reached(Upstream, 2);
        gate.Open();
        await Probe.Reached(Refreshed, 1);
        Assert.Equal("key:2", Execute());

        string Execute(Gate? gate = null)
        {
            var context = ResilienceContextPool.Shared.Get();
            context.SetSingleFlightKey("key");
            var result = pipeline.Execute(
                (_, _) =>
                {
                    var answer = Answer("key");
                    gate?.Opened.GetAwaiter().GetResult();
                    return answer;
                },
                context,
                0);
            ResilienceContextPool.Shared.Return(context);
            return result;
        }
    }
}
