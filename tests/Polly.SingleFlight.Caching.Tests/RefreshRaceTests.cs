namespace Polly.SingleFlight.Caching.Tests;

/// <summary>A refresh that meets the end of the lifetime, or a hit that comes late.</summary>
public sealed class RefreshRaceTests : CacheTest
{
    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Expiry_DuringARefresh_ForegroundJoinsItsFlight(CacheKind kind)
    {
        var pipeline = Cached(kind, Counted<string>(refreshAfter: 8 * s_second));
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
        await Probe.Reached(Upstream, 2);
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
}
