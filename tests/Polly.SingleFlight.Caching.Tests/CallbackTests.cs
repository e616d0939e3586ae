namespace Polly.SingleFlight.Caching.Tests;

/// <summary>What a callback of the options throws is reported, and otherwise changes nothing for the caller.</summary>
public sealed class CallbackTests : CacheTest
{
    public static TheoryData<bool, bool> Ways => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task ShouldCache_Throws_IsNo(bool yields, bool withFlight)
    {
        var options = Counted<string>();
        options.ShouldCache = _ => Throw<bool>(yields);
        var pipeline = Cached(options, withFlight);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        AssertReported("ShouldCache", 2);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task LifetimeGenerator_Throws_IsNotCached(bool yields, bool withFlight)
    {
        var options = Counted<string>();
        options.LifetimeGenerator = _ => Throw<CacheLifetime>(yields);
        var pipeline = Cached(options, withFlight);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        AssertReported("LifetimeGenerator", 2);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Events_Throw_ChangeNothing(bool yields, bool withFlight)
    {
        var options = Counted<string>(refreshAfter: 8 * s_second, staleOnError: TimeSpan.FromHours(1));
        options.OnHit = _ => Throw(yields);
        options.OnMiss = _ => Throw(yields);
        options.OnRefresh = _ =>
        {
            Probe.Hit(Refreshed);
            return Throw(yields);
        };
        var pipeline = Cached(options, withFlight);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        AssertReported("OnMiss", 1);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        AssertReported("OnHit", 1);
        Clock.Advance(8 * s_second);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        await Probe.Reached(Refreshed, 1);
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        Clock.Advance(10 * s_second);
        Assert.Equal("key:2", await Fail(pipeline, "key"));
        AssertReported("OnHit", 4);
    }

    [Fact]
    public async Task Listener_Throws_FailsNoExecution()
    {
        Listener.Throws = true;
        var pipeline = Builder<string>().AddCache(Memory, Counted<string>(8 * s_second, TimeSpan.FromHours(1))).Build();

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Clock.Advance(8 * s_second);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        await Probe.Reached(Refreshed, 1);
        Clock.Advance(10 * s_second);
        Assert.Equal("key:2", await Fail(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task OnMiss_AndOnHit_AreAwaited(CacheKind kind)
    {
        var gate = new Gate();
        var options = Counted<string>();
        options.OnMiss = _ => new(gate.Opened);
        options.OnHit = _ => new(gate.Opened);
        var pipeline = Cached(kind, options);
        var miss = Fetch(pipeline, "key");
        Assert.Equal((false, 0), (miss.IsCompleted, Probe[Upstream]));
        gate.Open();
        await miss;
        gate = new Gate();
        var hit = Fetch(pipeline, "key");
        Assert.False(hit.IsCompleted);
        gate.Open();

        Assert.Equal("key:1", await hit);
    }

    private static async ValueTask Throw(bool yields) => await Throw<int>(yields);

    private static ValueTask<T> Throw<T>(bool yields)
    {
        return yields ? LaterAsync() : throw new FormatException("about key");

        static async ValueTask<T> LaterAsync()
        {
            await Task.Yield();
            throw new FormatException("about key");
        }
    }

    private void AssertReported(string source, int times)
    {
        var reports = Listener.Reports
            .Where(report => report.Name == "OnCacheFailed" && report.Arguments!.Contains(source, StringComparison.Ordinal)).ToArray();
        Assert.Equal(times, reports.Length);
        Assert.All(reports, report => Assert.DoesNotContain("about key", report.Arguments, StringComparison.Ordinal));
    }
}
