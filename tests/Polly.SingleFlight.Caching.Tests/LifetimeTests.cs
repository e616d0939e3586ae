namespace Polly.SingleFlight.Caching.Tests;

/// <summary>How long a result is returned, on the builder's clock.</summary>
public sealed class LifetimeTests : CacheTest
{
    /// <summary>All in seconds; a lifetime of zero is none.</summary>
    [Theory]
    [InlineData(3600, 0, 3540, 2832)]
    [InlineData(300, 0, 240, 192)]
    [InlineData(299, 0, 239.2, 191.36)]
    [InlineData(100, 0, 80, 64)]
    [InlineData(1, 0, 0.8, 0.64)]
    [InlineData(100, 30, 50, 40)]
    [InlineData(3600, 3539, 1, 0.8)]
    [InlineData(100, 80, 0, null)]
    [InlineData(100, 1000, 0, null)]
    [InlineData(100, -30, 80, 64)]
    [InlineData(0, 0, 0, null)]
    [InlineData(0, -30, 0, null)]
    [InlineData(-1, 0, 0, null)]
    [InlineData(-1, -100, 0, null)]
    public void FromExpiresIn_LeavesAMargin(double expiresIn, double elapsed, double lifetime, object? refreshAfter)
    {
        var actual = CacheLifetime.FromExpiresIn(TimeSpan.FromSeconds(expiresIn), TimeSpan.FromSeconds(elapsed));

        Assert.Equal(new CacheLifetime(TimeSpan.FromSeconds(lifetime), refreshAfter is null ? null : TimeSpan.FromSeconds(Convert.ToDouble(refreshAfter, null))), actual);
        Assert.Equal(lifetime == 0, actual == CacheLifetime.None);
    }

    public static TheoryData<TimeSpan> Spans => new(
        TimeSpan.MinValue, TimeSpan.FromTicks(-1), TimeSpan.Zero, TimeSpan.FromTicks(1), TimeSpan.MaxValue - TimeSpan.FromTicks(1), TimeSpan.MaxValue);

    [Theory]
    [MemberData(nameof(Spans))]
    public void FromExpiresIn_ExtremeTimes_DoesNotOverflow(TimeSpan span)
    {
        foreach (var (other, _, _) in Spans.Select(row => (row.Data, 0, 0)))
        {
            var lifetime = CacheLifetime.FromExpiresIn(span, other);
            Assert.InRange(lifetime.Lifetime, TimeSpan.Zero, span > TimeSpan.Zero ? span : TimeSpan.Zero);
            Assert.True(lifetime == CacheLifetime.None || lifetime.RefreshAfter <= lifetime.Lifetime);
        }
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Lifetime_IsFixed_EndsOnTheBuildersClock(CacheKind kind)
    {
        var options = Counted<string>();
        options.LifetimeGenerator = null;
        options.Lifetime = TimeSpan.FromMinutes(1);

        // Kept longer than the lifetime, so that it is the strategy and not the cache that ends it.
        options.StaleOnError = TimeSpan.FromHours(1);
        var pipeline = Cached(kind, options);

        await Fetch(pipeline, "key");
        Clock.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(1));
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Lifetime_Default_IsFiveMinutesWithoutRefresh(CacheKind kind)
    {
        var pipeline = Cached(kind, new CacheStrategyOptions<string>());
        await Fetch(pipeline, "key");
        Clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        Assert.Equal(0, Listener.Count("OnCacheRefresh"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Lifetime_OverThereIsNone_IsKeptAsLongAsCanBe(CacheKind kind)
    {
        var options = Counted<string>();
        options.LifetimeGenerator = _ => new(new CacheLifetime(TimeSpan.MaxValue, TimeSpan.MaxValue));
        options.StaleOnError = TimeSpan.MaxValue;
        var pipeline = Cached(kind, options);

        await Fetch(pipeline, "key");
        Clock.Advance(TimeSpan.FromDays(3000));

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(0, Listener.Count("OnCacheFailed"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    public async Task LifetimeGenerator_GivesNone_IsNotCached(long ticks)
    {
        var options = Counted<string>();
        options.LifetimeGenerator = _ => new(new CacheLifetime(TimeSpan.FromTicks(ticks), TimeSpan.FromTicks(ticks)));
        var pipeline = Cached(options);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        Assert.Equal(0, Memory.Count);
        Assert.Equal(0, Listener.Count("OnCacheFailed"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    public async Task RefreshAfter_NotPositive_RefreshesOnTheFirstHit(long ticks)
    {
        var pipeline = Cached(Counted<string>(refreshAfter: TimeSpan.FromTicks(ticks)));
        await Fetch(pipeline, "key");

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        await Probe.Reached(Refreshed, 1);
    }

    [Theory]
    [MemberData(nameof(CachesAndEither))]
    public async Task LifetimeGenerator_SeesTheResultAndTheTimeSinceTheCallBegan(CacheKind kind, bool withFlight)
    {
        var gate = new Gate();
        var options = Counted<string>();
        List<(string Result, TimeSpan Elapsed)> seen = [];
        options.LifetimeGenerator = async args =>
        {
            await Task.Yield();
            seen.Add((args.Result, args.Elapsed));
            return CacheLifetime.FromExpiresIn(10 * s_second, args.Elapsed) with { RefreshAfter = null };
        };
        var pipeline = Cached(kind, options, withFlight);

        var call = Fetch(pipeline, "key", gate);
        await Probe.Reached(Upstream, 1);
        Clock.Advance(3 * s_second);
        gate.Open();
        await call;

        Assert.Equal([("key:1", 3 * s_second)], seen);
        Clock.Advance((5 * s_second) - TimeSpan.FromTicks(1));
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }
}
