using Polly.SingleFlight.Caching.Refresh;

namespace Polly.SingleFlight.Caching.Tests;

/// <summary>A refresh that fails, or whose result is not kept, leaves the old entry and does not turn every hit into a call.</summary>
public sealed class RefreshFailureTests : CacheTest
{
    private static readonly TimeSpan s_backOff = RefreshSchedule.BackOff;

    [Theory]
    [MemberData(nameof(CachesAndEither))]
    public async Task Failure_KeepsTheEntryIsReportedAndBacksOff(CacheKind kind, bool withFlight)
    {
        var pipeline = Cached(kind, Long(), withFlight);
        await Fetch(pipeline, "key");
        Clock.Advance(8 * s_second);

        Assert.Equal("key:1", await Fail(pipeline, "key"));
        await Probe.Reached(RefreshFailed, 1);
        Assert.Equal(1, Listener.Count("OnCacheRefreshFailed"));
        Clock.Advance(s_backOff - TimeSpan.FromTicks(1));
        Assert.Equal("key:1", await Fail(pipeline, "key"));
        Clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal("key:1", await Fail(pipeline, "key"));
        await Probe.Reached(RefreshFailed, 2);
        Assert.Equal("key:1", await Fail(pipeline, "key"));
        Clock.Advance(s_backOff);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        await Probe.Reached(Refreshed, 1);

        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        Assert.Equal((4, 2), (Probe[Upstream], Probe[RefreshFailed]));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Failure_OfOneKey_DoesNotHoldOthersBack(CacheKind kind)
    {
        var pipeline = Cached(kind, Long());
        await Fetch(pipeline, "a");
        await Fetch(pipeline, "b");
        Clock.Advance(8 * s_second);
        await Fail(pipeline, "a");
        await Probe.Reached(RefreshFailed, 1);

        await Fetch(pipeline, "b");
        await Probe.Reached(Refreshed, 1);
        Assert.Equal("b:3", await Fetch(pipeline, "b"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Expiry_DuringTheBackOff_CallsAtOnce(CacheKind kind)
    {
        var pipeline = Cached(kind, Counted<string>(refreshAfter: 8 * s_second));
        await Fetch(pipeline, "key");
        Clock.Advance(9 * s_second);
        await Fail(pipeline, "key");
        await Probe.Reached(RefreshFailed, 1);
        Clock.Advance(s_second);

        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Callback_ThrowsInTheRefreshBeforeItYields_IsAFailedRefresh(CacheKind kind)
    {
        var pipeline = Cached(kind, Long(), withFlight: false);
        await Fetch(pipeline, "key");
        Clock.Advance(8 * s_second);

        Assert.Equal("key:1", await Call<string>(pipeline, "key", _ => throw new NotSupportedException()));
        await Probe.Reached(RefreshFailed, 1);
    }

    [Theory]
    [InlineData("ShouldCache", false)]
    [InlineData("ShouldCache", true)]
    [InlineData("LifetimeGenerator", true)]
    [InlineData("Store", true)]
    [InlineData("Store", false)]
    public async Task Result_IsNotKept_BacksOffLikeAFailure(string because, bool withFlight)
    {
        var options = Long();
        var keeps = true;
        var lifetime = options.LifetimeGenerator!;
        switch (because)
        {
            case "ShouldCache":
                options.ShouldCache = _ => new(keeps);
                break;
            case "LifetimeGenerator":
                options.LifetimeGenerator = args => keeps ? lifetime(args) : new(CacheLifetime.None);
                break;
            default:
                Memory.Storing = () =>
                {
                    if (!keeps)
                    {
                        throw new TimeoutException();
                    }
                };
                break;
        }

        var pipeline = Cached(options, withFlight);
        await Fetch(pipeline, "key");
        keeps = false;
        Clock.Advance(8 * s_second);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        await Probe.Reached(Refreshed, 1);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("key:1", await Fetch(pipeline, "key"));
            await PoolReached();
        }

        Clock.Advance(s_backOff);
        keeps = true;
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        await Probe.Reached(Refreshed, 2);
        Assert.Equal("key:3", await Fetch(pipeline, "key"));
        Assert.Equal((3, 2), (Probe[Upstream], Probe[Refreshed]));
    }

    /// <summary>A lifetime shorter than the back-off must still be refreshed in time.</summary>
    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Success_DoesNotBackOff(CacheKind kind)
    {
        var options = Counted<string>();
        options.LifetimeGenerator = _ => new(new CacheLifetime(s_second, s_second / 2));
        var pipeline = Cached(kind, options);
        await Fetch(pipeline, "key");
        for (var i = 1; i <= 5; i++)
        {
            Clock.Advance(s_second / 2);
            Assert.Equal($"key:{i}", await Fetch(pipeline, "key"));
            await Probe.Reached(Refreshed, i);
        }
    }

    [Fact]
    public void Schedule_ManyFailures_ForgetsThoseThatMayBeTriedAgain()
    {
        var schedule = new RefreshSchedule(Clock, maxConcurrent: 16);
        for (var i = 0; i < 5000; i++)
        {
            Assert.True(schedule.TryBegin(i, this));
            Assert.False(schedule.TryBegin(i, this));
            schedule.End(i, this, succeeded: false);
            Assert.False(schedule.TryBegin(i, this));
            Clock.Advance(TimeSpan.FromMilliseconds(10));
            Assert.True(schedule.FailureCount <= 500);
        }

        Clock.Advance(s_backOff);
        Assert.True(schedule.TryBegin(4999, this));
    }

    private CacheStrategyOptions<string> Long()
    {
        var options = Counted<string>();
        options.LifetimeGenerator = _ => new(new CacheLifetime(TimeSpan.FromMinutes(5), 8 * s_second));
        return options;
    }
}
