namespace Polly.SingleFlight.Caching.Tests;

/// <summary>Refresh ahead: who sets it off, who waits for it, and what becomes of it.</summary>
public sealed class RefreshTests : CacheTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Hit_AfterRefreshAfter_ReturnsAtOnceAndRefreshesInTheBackground(bool hybrid)
    {
        var options = Counted<string>(refreshAfter: 8 * s_second);
        var pipeline = hybrid ? CachedHybrid(options) : Cached(options);
        var gate = new Gate();
        await Fetch(pipeline, "key");
        Clock.Advance((8 * s_second) - TimeSpan.FromTicks(1));
        Assert.Equal("key:1", await Fetch(pipeline, "key", gate));
        Assert.Equal(1, Probe[Upstream]);

        Clock.Advance(TimeSpan.FromTicks(1));
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

    [Fact]
    public async Task FromExpiresIn_RefreshesAtFourFifthsOfTheLifetime()
    {
        var options = Counted<string>();
        options.LifetimeGenerator = args => new(CacheLifetime.FromExpiresIn(100 * s_second, args.Elapsed));
        var pipeline = Cached(options);
        await Fetch(pipeline, "key");
        Clock.Advance(63 * s_second);
        await Fetch(pipeline, "key");
        Assert.Equal(1, Probe[Upstream]);
        Clock.Advance(s_second);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        await Probe.Reached(Refreshed, 1);
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Hits_DuringARefresh_SetOffNoOther(bool withFlight)
    {
        var pipeline = Cached(Counted<string>(refreshAfter: 8 * s_second), withFlight);
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

    [Fact]
    public async Task Expiry_DuringARefresh_ForegroundJoinsItsFlight()
    {
        var pipeline = Cached(Counted<string>(refreshAfter: 8 * s_second));
        var gate = new Gate();
        await Fetch(pipeline, "key");
        Clock.Advance(8 * s_second);
        await Fetch(pipeline, "key", gate);
        await Probe.Reached(Upstream, 2);

        Clock.Advance(2 * s_second);
        var foreground = Fetch(pipeline, "key", gate);
        await Probe.Reached(Joined, 1);
        gate.Open();

        Assert.Equal("key:2", await foreground);
        await Probe.Reached(Refreshed, 1);
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        Assert.Equal(2, Probe[Upstream]);
    }

    [Fact]
    public async Task Expiry_BeforeTheRefreshBegins_RefreshJoinsTheForegroundFlight()
    {
        var options = Watched(new SingleFlightStrategyOptions<string>());
        var (gate, held) = (new Gate(), new Gate());
        var first = true;
        var pipeline = Builder<string>()
            .AddCache(Memory, Counted<string>(refreshAfter: 8 * s_second))
            .AddStrategy(_ => new Hold(() => !first && Probe["held"] == 0 ? HoldAsync() : Task.CompletedTask), new Hold.Options())
            .AddSingleFlight(options)
            .Build();
        await Fetch(pipeline, "key");
        first = false;
        Clock.Advance(8 * s_second);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        await Probe.Reached("held", 1);
        Clock.Advance(2 * s_second);

        var foreground = Fetch(pipeline, "key", gate);
        await Probe.Reached(Started, 2);
        held.Open();
        await Probe.Reached(Joined, 1);
        gate.Open();

        Assert.Equal("key:2", await foreground);
        await Probe.Reached(Refreshed, 1);
        Assert.Equal(2, Probe[Upstream]);

        Task HoldAsync()
        {
            Probe.Hit("held");
            return held.Opened;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Refresh_IsDoneBeforeAHitThatSawTheOldEntryGoesOn_DoesNotCallAgain(bool withFlight)
    {
        var pipeline = Cached(Counted<string>(refreshAfter: 8 * s_second), withFlight);
        var held = new Gate();
        await Fetch(pipeline, "key");
        Clock.Advance(8 * s_second);
        Memory.LookedUp = _ =>
        {
            Memory.LookedUp = _ => Probe.Hit("looked up");
            Probe.Hit("held");
            held.Opened.GetAwaiter().GetResult();
        };
        var late = Task.Run(() => Fetch(pipeline, "key"));
        await Probe.Reached("held", 1);
        await Fetch(pipeline, "key");
        await Probe.Reached(Refreshed, 1);
        var lookups = Probe["looked up"];
        held.Open();
        Assert.Equal("key:1", await late);

        // What the late hit has set off finds the new entry, and ends with that.
        await Probe.Reached("looked up", lookups + 1);
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        Clock.Advance(8 * s_second);
        while (Probe[Refreshed] == 1)
        {
            // The one that found nothing to do may still be about to end.
            await Fetch(pipeline, "key");
            await PoolReached();
        }

        Assert.Equal(3, Probe[Upstream]);
    }

    [Fact]
    public async Task Refresh_OfAKey_LeavesOthersAlone()
    {
        var pipeline = Cached(Counted<string>(refreshAfter: 8 * s_second));
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

    [Fact]
    public async Task Refresh_OfASynchronousExecution_RunsInTheBackgroundToo()
    {
        var pipeline = Cached(Counted<string>(refreshAfter: 8 * s_second));
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
