using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>Background work is bounded, ends, and runs under the environment of the caller that set it off.</summary>
public class RefreshTests(RedisServer redis) : RealCacheTest(redis)
{
    private static readonly AsyncLocal<string?> s_tenant = new();

    public static TheoryData<CacheKind, int> Many() => new()
    {
        { CacheKind.Memory, 10_000 },
        { CacheKind.Hybrid, 2_000 },
        { CacheKind.HybridRedis, 300 },
        { CacheKind.Fusion, 2_000 },
        { CacheKind.FusionRedis, 300 },
    };

    [Theory]
    [MemberData(nameof(Many))]
    public async Task ManyKeysDueAtOnce_NoMoreThanTheLimitAtATime(CacheKind kind, int keys)
    {
        var pipeline = Cached(NewNode(kind), Counted<string>(refreshes: true, options => options.MaxConcurrentRefreshes = 4));
        for (var i = 0; i < keys; i++)
        {
            await Read(pipeline, i, "first");
        }

        Clock.Advance(6 * s_minute);
        var gate = new Gate();
        for (var i = 0; i < keys; i++)
        {
            Assert.Equal("first", await Read(pipeline, i, "second", gate));
        }

        await Probe.Reached(Upstream, keys + 4);
        gate.Open();
        await Probe.Reached(Refreshed, 4);
        Assert.Equal(keys + 4, Probe[Upstream]);

        // The others have their turn when they are hit again.
        Assert.Equal("first", await Read(pipeline, keys - 1, "third"));
        await Probe.Reached(Refreshed, 5);
        Assert.Equal("third", await Read(pipeline, keys - 1, "unused"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task RefreshThatIgnoresItsToken_IsGivenUpAtTheLimit_AndKeepsNothing(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<string>(refreshes: true, options =>
        {
            options.RefreshTimeout = s_minute;
            options.MaxConcurrentRefreshes = 1;
        }));
        await Read(pipeline, "k", "first");
        await Read(pipeline, "other", "first");
        Clock.Advance(6 * s_minute);
        var gate = new Gate();
        await Read(pipeline, "k", "stuck", gate);
        await Probe.Reached(Upstream, 3);
        Assert.Equal("first", await Read(pipeline, "other", "unused"));
        Assert.Equal(3, Probe[Upstream]);

        Clock.Advance(s_minute);
        await Until(() => Task.FromResult(Probe[RefreshFailed] == 1));

        // Its place is free, and after a moment its key.
        await Read(pipeline, "other", "second");
        await Probe.Reached(Refreshed, 1);
        Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("first", await Read(pipeline, "k", "second"));
        await Probe.Reached(Refreshed, 2);
        gate.Open();
        await Probe.Reached(Ended, 5);
        Assert.Equal("second", await Read(pipeline, "k", "unused"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task RefreshTimeout_FiresTheTokenOfTheCallback(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<string>(refreshes: true, options => options.RefreshTimeout = s_minute));
        await Read(pipeline, "k", "first");
        Clock.Advance(6 * s_minute);
        await Ask(pipeline, "k", async context =>
        {
            await Task.Delay(System.Threading.Timeout.InfiniteTimeSpan, context.CancellationToken);
            return "unused";
        });
        await Probe.Reached(Upstream, 2);

        Clock.Advance(s_minute);

        await Probe.Reached(RefreshFailed, 1);
    }

    /// <summary>Up to 10 % earlier, never later, and not all at the same time.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task RefreshAt_IsSpread(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<string>(refreshes: true));
        var start = Clock.GetUtcNow();
        var times = new List<DateTimeOffset>();
        for (var i = 0; i < 30; i++)
        {
            times.Add((await Ask(pipeline, i, "value")).Cache!.RefreshAt!.Value);
        }

        Assert.All(times, time => Assert.InRange(time, start + (4.5 * s_minute), start + (5 * s_minute)));
        Assert.True(times.Distinct().Count() > 20);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task FailedRefresh_IsNotRepeatedForAMoment(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<string>(refreshes: true));
        await Read(pipeline, "k", "first");
        Clock.Advance(6 * s_minute);
        Assert.Equal("first", await Fail(pipeline, "k"));
        await Probe.Reached(RefreshFailed, 1);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("first", await Fail(pipeline, "k"));
        }

        Assert.Equal(2, Probe[Upstream]);
        Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("first", await Read(pipeline, "k", "second"));
        await Probe.Reached(Refreshed, 1);
        Assert.Equal("second", await Read(pipeline, "k", "unused"));
    }

    /// <summary>Under the environment of who set it off; its activity is linked to that caller's, and no child of it.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task Refresh_RunsUnderTheCallersEnvironment(CacheKind kind)
    {
        using var source = new ActivitySource(Prefix);
        var activities = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = heard => heard.Name == Prefix || heard.Name == "Polly.SingleFlight.Caching",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activities.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var pipeline = Cached(NewNode(kind), Counted<string>(refreshes: true));
        await Read(pipeline, "k", "first");
        Clock.Advance(6 * s_minute);

        var caller = source.StartActivity("caller")!;
        s_tenant.Value = "tenant";
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
        CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo("fr-FR");
        (string?, string, string, ActivityTraceId?) seen = default;
        var property = new ResiliencePropertyKey<string>("property");
        var properties = "";
        var context = ResilienceContextPool.Shared.Get();
        context.SetSingleFlightKey("k");
        context.Properties.Set(property, "of the caller");
        await pipeline.ExecuteAsync(
            context =>
            {
                seen = (s_tenant.Value, CultureInfo.CurrentCulture.Name, CultureInfo.CurrentUICulture.Name, Activity.Current?.TraceId);
                properties = context.Properties.GetValue(property, "");
                Probe.Hit(Upstream);
                return new ValueTask<string>("second");
            },
            context);
        ResilienceContextPool.Shared.Return(context);
        caller.Dispose();
        s_tenant.Value = "another";
        await Probe.Reached(Refreshed, 1);

        Assert.Equal(("tenant", "de-DE", "fr-FR"), (seen.Item1, seen.Item2, seen.Item3));
        Assert.Equal("of the caller", properties);
        Assert.NotEqual(caller.TraceId, seen.Item4);
        await Until(() => Task.FromResult(activities.Any(IsOurs)));
        var refresh = activities.First(IsOurs);
        Assert.Null(refresh.Parent);
        Assert.Equal(default, refresh.ParentSpanId);

        bool IsOurs(Activity activity) => activity.OperationName == "polly.single_flight.cache.refresh" && activity.Links.Any(link => link.Context.SpanId == caller.SpanId);
    }

    /// <summary>The old result with its validator: a 304 renews its lifetime without a new value.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task NotModified_InARefresh_RenewsTheLifetime(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<Token>(refreshes: true));
        await Ask(pipeline, "k", NotModified);
        Clock.Advance(6 * s_minute);
        await Ask(pipeline, "k", NotModified);
        await Probe.Reached(Refreshed, 1);
        Clock.Advance(4.4 * s_minute);

        // Without the renewal it would be over by now, and with it there is a refresh to come.
        var hit = await Ask(pipeline, "k", NotModified);

        Assert.Equal("1", hit.Value.Value);
        Assert.True(hit.Cache!.IsHit);
        Assert.Equal(Clock.GetUtcNow() + (5.6 * s_minute), hit.Cache.ExpiresAt);
        Assert.Equal(2, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task NotModified_AfterTheLifetime_RenewsIt(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<Token>(configure: options => options.StaleOnError = 60 * s_minute));
        await Ask(pipeline, "k", NotModified);
        Clock.Advance(11 * s_minute);

        Assert.Equal("1", (await Ask(pipeline, "k", NotModified)).Value.Value);

        Clock.Advance(9 * s_minute);
        Assert.Equal("1", (await Ask(pipeline, "k", NotModified)).Value.Value);
        Assert.Equal(2, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task NotModified_AfterAnEviction_HasNoOldResult(CacheKind kind)
    {
        var control = new CacheManualControl();
        var pipeline = Cached(NewNode(kind), Counted<Token>(refreshes: true, options =>
        {
            options.ManualControl = control;
            options.StaleOnError = 60 * s_minute;
        }));
        await Ask(pipeline, "k", NotModified);
        await control.EvictAsync("k");

        Assert.Equal("2", (await Ask(pipeline, "k", NotModified)).Value.Value);
    }

    /// <summary>Answers "not modified" to whoever has the old result, else with a number.</summary>
    private Task<Token> NotModified(ResilienceContext context) =>
        Task.FromResult(context.TryGetReplacedResult<Token>(out var old) ? old! : new Token { Value = $"{Probe[Upstream]}" });
}
