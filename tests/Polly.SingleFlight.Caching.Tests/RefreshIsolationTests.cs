namespace Polly.SingleFlight.Caching.Tests;

/// <summary>A refresh is nobody's execution: nothing of the caller that set it off is used after that caller returned.</summary>
public sealed class RefreshIsolationTests : CacheTest
{
    private static readonly ResiliencePropertyKey<string> s_tenant = new("tenant");
    private static readonly AsyncLocal<string?> s_flow = new();

    [Theory]
    [MemberData(nameof(CachesAndEither))]
    public async Task Context_OfTheCaller_IsReusedByAnotherWhileTheRefreshRuns(CacheKind kind, bool withFlight)
    {
        var options = Counted<string>(refreshAfter: 8 * s_second);
        var pipeline = Cached(kind, options, withFlight);
        var gate = new Gate();
        await Fetch(pipeline, "key");
        Clock.Advance(8 * s_second);

        using var source = new CancellationTokenSource();
        var caller = ResilienceContextPool.Shared.Get("operation", source.Token);
        caller.SetSingleFlightKey("key");
        caller.Properties.Set(s_tenant, "mine");
        string? seen = null;
        ResilienceContext? used = null;
        var token = CancellationToken.None;
        s_flow.Value = "caller";
        var hit = await pipeline.ExecuteAsync(
            async (context, _) =>
            {
                used = context;
                token = context.CancellationToken;
                Probe.Hit("running");
                await gate.Opened;
                context.Properties.Set(s_tenant, context.Properties.GetValue(s_tenant, "") + "!");
                seen = $"{context.OperationKey} {context.Properties.GetValue(s_tenant, "none")} {s_flow.Value ?? "no flow"} {context.GetSingleFlightKey()}";
                return Answer("key");
            },
            caller,
            0);
        Assert.Equal("key:1", hit);
        await Probe.Reached("running", 1);

        // As if the pool had given it to another tenant; whether it would is not for this test to rely on.
        caller.Properties.Set(s_tenant, "another's");
        caller.SetSingleFlightKey("another key");
        await source.CancelAsync();
        gate.Open();
        await Probe.Reached(Refreshed, 1);

        Assert.NotSame(caller, used);
        Assert.NotEqual(source.Token, token);
        Assert.Equal("operation mine! caller key", seen);
        Assert.Equal("another's", caller.Properties.GetValue(s_tenant, ""));
        ResilienceContextPool.Shared.Return(caller);
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Events_OfARefresh_AreReportedOnItsOwnContext(CacheKind kind)
    {
        ResilienceContext? reported = null;
        var options = Counted<string>(refreshAfter: 8 * s_second);
        var count = options.OnRefresh!;
        options.OnRefresh = args =>
        {
            reported = args.Context;
            Assert.Equal("key:2", args.Outcome.Result);
            return count(args);
        };
        var pipeline = Cached(kind, options);
        await Fetch(pipeline, "key");
        Clock.Advance(8 * s_second);
        var caller = ResilienceContextPool.Shared.Get();
        caller.SetSingleFlightKey("key");
        await pipeline.ExecuteAsync(_ => new ValueTask<string>(Answer("key")), caller);
        await Probe.Reached(Refreshed, 1);

        Assert.NotSame(caller, reported);
        Assert.NotSame(caller, Assert.Single(Listener.Reports, report => report.Name == "OnCacheRefresh").Context);
        ResilienceContextPool.Shared.Return(caller);
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Caller_CancelledOnceItReturned_DoesNotEndTheRefresh(CacheKind kind)
    {
        var pipeline = Cached(kind, Counted<string>(refreshAfter: 8 * s_second));
        var gate = new Gate();
        await Fetch(pipeline, "key");
        Clock.Advance(8 * s_second);
        using var source = new CancellationTokenSource();
        await Call(
            pipeline,
            "key",
            async context =>
            {
                Probe.Hit("running");
                await gate.Opened;
                context.CancellationToken.ThrowIfCancellationRequested();
                return Answer("key");
            },
            source.Token);
        await Probe.Reached("running", 1);
        await source.CancelAsync();
        gate.Open();
        await Probe.Reached(Refreshed, 1);

        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Activity_OfTheCaller_IsNotThatOfTheRefresh(CacheKind kind)
    {
        var pipeline = Cached(kind, Counted<string>(refreshAfter: 8 * s_second));
        await Fetch(pipeline, "key");
        Clock.Advance(8 * s_second);
        using var activity = new System.Diagnostics.Activity("caller").Start();
        var seen = activity;
        await Call(pipeline, "key", _ =>
        {
            seen = System.Diagnostics.Activity.Current;
            return Task.FromResult("new");
        });
        await Probe.Reached(Refreshed, 1);

        Assert.Null(seen);
        Assert.Same(activity, System.Diagnostics.Activity.Current);
    }
}
