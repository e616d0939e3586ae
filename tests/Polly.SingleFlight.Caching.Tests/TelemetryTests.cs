using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Polly.Telemetry;

namespace Polly.SingleFlight.Caching.Tests;

/// <summary>Events, counters and callbacks. A meter listener sees the whole process, so these tests run by themselves.</summary>
[Collection(nameof(Alone))]
public sealed class TelemetryTests : CacheTest
{
    private const string Name = "Polly.SingleFlight.Caching";

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Everything_ThatHappens_IsReportedWithoutKeyAndResult(CacheKind kind)
    {
        using var meter = new Collectors();
        var builder = Builder<string>("tokens");
        builder.InstanceName = "eu";
        var options = Counted<string>(8 * s_second, TimeSpan.FromHours(1));
        var pipeline = AddCache(builder, kind, options)
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>())).Build();

        await Fetch(pipeline, "secret");
        await Fetch(pipeline, "secret");
        Clock.Advance(8 * s_second);
        await Fail(pipeline, "secret");
        await Probe.Reached(RefreshFailed, 1);
        Clock.Advance(s_second);
        await Fetch(pipeline, "secret");
        Clock.Advance(s_second);
        await Fail(pipeline, "secret");
        await Fetch(pipeline, "secret");
        Clock.Advance(8 * s_second);
        await Fetch(pipeline, "secret");
        await Probe.Reached(Refreshed, 1);

        Assert.Equal((3, 1, 4, 1, 1), (Probe[Miss], Probe[Stale], Probe[Hit], Probe[RefreshFailed], Probe[Refreshed]));
        Assert.Equal((3, 1, 4, 2), (meter.Sum("misses"), meter.Sum("stale"), meter.Sum("hits"), meter.Sum("refreshes")));
        Assert.Equal((1, 1), (meter.Sum("refreshes", success: true), meter.Sum("refreshes", success: false)));
        Assert.Equal(
            ["pipeline.instance=eu", "pipeline.name=tokens", "strategy.name=Cache", "success=False", "success=True"],
            meter.Tags.Distinct().Order(StringComparer.Ordinal));
        AssertEvents(("OnCacheMiss", ResilienceEventSeverity.Debug, 3), ("OnCacheHit", ResilienceEventSeverity.Debug, 4));
        AssertEvents(("OnCacheStale", ResilienceEventSeverity.Warning, 1), ("OnCacheRefresh", ResilienceEventSeverity.Debug, 1));
        AssertEvents(("OnCacheRefreshFailed", ResilienceEventSeverity.Warning, 1));
        Assert.All(Listener.Reports, report => Assert.DoesNotContain("secret", report.Arguments, StringComparison.Ordinal));
        Assert.All(
            Listener.Reports,
            report => Assert.False(report.HasOutcome && report.Name.StartsWith("OnCache", StringComparison.Ordinal), report.Name));
    }

    [Fact]
    public async Task Events_OfAnExecution_AreReportedOnTheCallersContext()
    {
        List<ResilienceContext> contexts = [];
        var options = new CacheStrategyOptions<string>
        {
            OnHit = args =>
            {
                contexts.Add(args.Context);
                Assert.Equal(("key:1", s_second, false), (args.Result, args.Age, args.IsStale));
                return default;
            },
            OnMiss = args =>
            {
                contexts.Add(args.Context);
                return default;
            },
        };
        var pipeline = Builder<string>().AddCache(Memory, options).Build();
        var context = ResilienceContextPool.Shared.Get();
        context.SetSingleFlightKey("key");
        await pipeline.ExecuteAsync(_ => new ValueTask<string>(Answer("key")), context);
        Clock.Advance(s_second);
        await pipeline.ExecuteAsync(_ => new ValueTask<string>(Answer("key")), context);

        Assert.Equal([context, context], contexts);
        Assert.All(Listener.Reports.Where(report => report.Name.StartsWith("OnCache", StringComparison.Ordinal)), report => Assert.Same(context, report.Context));
        ResilienceContextPool.Shared.Return(context);
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task MeterListener_Throws_FailsNoExecution(CacheKind kind)
    {
        using var meter = ListenAndThrow();
        var pipeline = Cached(kind, Counted<string>(8 * s_second, TimeSpan.FromHours(1)));
        await Fetch(pipeline, "key");
        Clock.Advance(8 * s_second);
        await Fetch(pipeline, "key");
        await Probe.Reached(Refreshed, 1);
        Clock.Advance(10 * s_second);

        Assert.Equal("key:2", await Fail(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Activity_OfARefresh_HasTheNamesAndTheTypeOfAFailure(CacheKind kind)
    {
        var stopped = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == Name,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (Equals(activity.GetTagItem("pipeline.name"), "tokens"))
                {
                    stopped.Enqueue(activity);
                    Probe.Hit("stopped");
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        var builder = Builder<string>("tokens");
        builder.InstanceName = "eu";
        var pipeline = AddCache(builder, kind, Counted<string>(8 * s_second, TimeSpan.FromHours(1))).Build();

        await Fetch(pipeline, "secret");
        Clock.Advance(8 * s_second);
        await Fail(pipeline, "secret");
        await Probe.Reached("stopped", 1);
        Clock.Advance(s_second);
        await Fetch(pipeline, "secret");
        Clock.Advance(s_second);
        await Fetch(pipeline, "secret");
        Clock.Advance(8 * s_second);
        await Fetch(pipeline, "secret");
        await Probe.Reached("stopped", 2);

        const string Names = "pipeline.name=tokens pipeline.instance=eu strategy.name=Cache";
        Assert.Equal(
            [(ActivityStatusCode.Error, $"{Names} error.type=System.InvalidOperationException"), (ActivityStatusCode.Ok, Names)],
            stopped.Select(static refresh => (refresh.Status, string.Join(' ', refresh.TagObjects.Select(static tag => $"{tag.Key}={tag.Value}")))));
        Assert.All(stopped, static refresh => Assert.Null(refresh.StatusDescription));
    }

    private void AssertEvents(params ReadOnlySpan<(string Name, ResilienceEventSeverity Severity, int Count)> expected)
    {
        foreach (var (name, severity, count) in expected)
        {
            var reports = Listener.Reports.Where(report => report.Name == name).ToArray();
            Assert.Equal((name, count), (name, reports.Length));
            Assert.All(reports, report => Assert.Equal(severity, report.Severity));
        }
    }

    private static MeterListener ListenAndThrow()
    {
        var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == Name)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>(static (_, _, _, _) => throw new InvalidOperationException("from a listener"));
        listener.Start();
        return listener;
    }

    private sealed class Collectors : IDisposable
    {
        private readonly Dictionary<string, MetricCollector<long>> _collectors = new[] { "hits", "misses", "stale", "refreshes" }
            .ToDictionary(static name => name, static name => new MetricCollector<long>(null, Name, "polly.single_flight.cache." + name));

        public IEnumerable<string> Tags => _collectors.Values
            .SelectMany(static collector => collector.GetMeasurementSnapshot())
            .SelectMany(static measurement => measurement.Tags)
            .Select(static tag => $"{tag.Key}={tag.Value}");

        public long Sum(string name, bool? success = null) => _collectors[name].GetMeasurementSnapshot()
            .Where(measurement => success is null || measurement.ContainsTags(new KeyValuePair<string, object?>("success", success)))
            .Sum(static measurement => measurement.Value);

        public void Dispose()
        {
            foreach (var collector in _collectors.Values)
            {
                collector.Dispose();
            }
        }
    }
}
