using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Numerics;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Polly.SingleFlight.Tests.Flights;

namespace Polly.SingleFlight.Tests.Telemetry;

/// <summary>S14: the meter and the activity source. Listeners see the whole process, so these tests run by themselves.</summary>
[Collection(nameof(WholeThreadPool))]
public sealed class InstrumentTests : FlightTest
{
    private const string Name = "Polly.SingleFlight";
    private const string Role = "single_flight.role";

    private readonly Gate _gate = new();

    [Fact]
    public async Task Meter_LeaderFollowerAndBypass_AreCountedByRole()
    {
        using var meter = new Collectors("tokens");
        var pipeline = new ResiliencePipelineBuilder { Name = "tokens", InstanceName = "eu", TimeProvider = Clock }.AddSingleFlight(Watched()).Build();
        var leader = Call(pipeline, "secret", Hold);
        await Probe.Reached(Started, 1);
        Assert.Equal(1, meter.Sum(meter.ActiveFlights));
        Clock.Advance(TimeSpan.FromSeconds(1));
        var follower = Call(pipeline, "secret", Hold);
        await Probe.Reached(Joined, 1);
        Clock.Advance(TimeSpan.FromSeconds(2));
        _gate.Open();
        await Task.WhenAll(leader, follower);
        await Call(pipeline, "", _ => Task.FromResult(1));

        Assert.Equal(0, meter.Sum(meter.ActiveFlights));
        Assert.Equal(2, meter.Sum(meter.Callers));
        foreach (var role in new[] { "leader", "follower", "bypassed" })
        {
            Assert.Equal(1, meter.Sum(meter.Executions, role));
        }

        Assert.Equal(3, meter.Sum(meter.WaitDuration, "leader"));
        Assert.Equal(2, meter.Sum(meter.WaitDuration, "follower"));
        Assert.Equal(
            ["pipeline.instance=eu", "pipeline.name=tokens", "single_flight.bypass_reason=NoKey", "strategy.name=SingleFlight"],
            meter.Tags);
    }

    [Fact]
    public async Task Meter_CallerCancelled_IsCountedByItsRole()
    {
        using var meter = new Collectors("cancelled");
        var pipeline = new ResiliencePipelineBuilder { Name = "cancelled" }.AddSingleFlight(Watched()).Build();
        using var source = new CancellationTokenSource();
        var leader = Call(pipeline, "key", Hold, source.Token);
        await Probe.Reached(Started, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);

        Assert.Equal(1, meter.Sum(meter.Executions, "leader"));
        _gate.Open();
    }

    [Fact]
    public async Task Listeners_Throw_FailNobody()
    {
        using var meter = ListenAndThrow();
        var pipeline = Build();
        var leader = Call(pipeline, "key", Hold);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", Hold);
        await Probe.Reached(Joined, 1);
        _gate.Open();

        Assert.Equal(new[] { 1, 1 }, await Task.WhenAll(leader, follower));
    }

    [Fact]
    public async Task Activity_FollowersWait_IsLinkedToTheFlightsSpanAndChildOfItsCaller()
    {
        var stopped = new ConcurrentQueue<Activity>();
        using var listener = Listen(stopped, _ => true);
        using var source = new ActivitySource("test");
        var pipeline = Build();
        Activity? inside = null;
        var leads = source.StartActivity("leader")!;
        var leader = Call(pipeline, "secret", async _ =>
        {
            inside = Activity.Current;
            await _gate.Opened;
            return 1;
        });
        Assert.Same(leads, Activity.Current);
        leads.Stop();
        await Probe.Reached(Started, 1);
        var follows = source.StartActivity("follower")!;
        var follower = Call(pipeline, "secret", Hold);
        Assert.Same(follows, Activity.Current);
        await Probe.Reached(Joined, 1);
        _gate.Open();
        await Task.WhenAll(leader, follower);
        Assert.Same(follows, Activity.Current);
        follows.Stop();

        var flight = Assert.Single(stopped, activity => activity.OperationName == "single_flight.flight");
        var wait = Assert.Single(stopped, activity => activity.OperationName == "single_flight.wait");
        Assert.Same(inside, flight);
        Assert.Equal(leads.SpanId, flight.ParentSpanId);
        Assert.Equal(follows.SpanId, wait.ParentSpanId);
        Assert.Equal(flight.Context, Assert.Single(wait.Links).Context);
        Assert.True(wait.StartTimeUtc <= flight.StartTimeUtc + flight.Duration);
        Assert.DoesNotContain(stopped, activity => activity.TagObjects.Any(tag => Equals(tag.Value, "secret")));
    }

    [Fact]
    public async Task Activity_SynchronousCallback_LeavesTheCallersActivityCurrent()
    {
        var stopped = new ConcurrentQueue<Activity>();
        using var listener = Listen(stopped, _ => true);
        using var source = new ActivitySource("test");
        var pipeline = Build();
        using var activity = source.StartActivity("caller")!;

        var value = pipeline.ExecuteSingleFlightAsync("key", _ => new ValueTask<object?>(Activity.Current?.Parent), CancellationToken.None);

        Assert.True(value.IsCompletedSuccessfully);
        Assert.Same(activity, await value);
        Assert.Same(activity, Activity.Current);
    }

    [Fact]
    public async Task Activity_FlightNotSampled_FollowersLinkToTheLeadersOwn()
    {
        var stopped = new ConcurrentQueue<Activity>();
        using var listener = Listen(stopped, name => name != "single_flight.flight");
        using var source = new ActivitySource("test");
        var pipeline = Build();
        var leads = source.StartActivity("leader")!;
        var leader = Call(pipeline, "key", Hold);
        leads.Stop();
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", Hold);
        await Probe.Reached(Joined, 1);
        _gate.Open();
        await Task.WhenAll(leader, follower);

        var wait = Assert.Single(stopped, activity => activity.OperationName == "single_flight.wait");
        Assert.Equal(leads.Context, Assert.Single(wait.Links).Context);
    }

    private static ActivityListener Listen(ConcurrentQueue<Activity> stopped, Func<string, bool> sample)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is Name or "test",
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                sample(options.Name) ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = stopped.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private async Task<int> Hold(ResilienceContext context)
    {
        await _gate.Opened;
        return 1;
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
        listener.SetMeasurementEventCallback<int>(static (_, _, _, _) => throw new InvalidOperationException("from a listener"));
        listener.SetMeasurementEventCallback<long>(static (_, _, _, _) => throw new InvalidOperationException("from a listener"));
        listener.SetMeasurementEventCallback<double>(static (_, _, _, _) => throw new InvalidOperationException("from a listener"));
        listener.Start();
        return listener;
    }

    /// <summary>
    /// Collects the measurements of one pipeline. A flight that an earlier test abandoned may end at any time, and the collectors see it too.
    /// </summary>
    private sealed class Collectors(string pipeline) : IDisposable
    {
        public MetricCollector<long> Executions { get; } = new(null, Name, "polly.single_flight.executions");

        public MetricCollector<long> ActiveFlights { get; } = new(null, Name, "polly.single_flight.active_flights");

        public MetricCollector<int> Callers { get; } = new(null, Name, "polly.single_flight.callers");

        public MetricCollector<double> WaitDuration { get; } = new(null, Name, "polly.single_flight.wait.duration");

        /// <summary>All tags but the role, which differs from caller to caller.</summary>
        public IEnumerable<string> Tags =>
            Tagged(Executions).Concat(Tagged(ActiveFlights)).Concat(Tagged(Callers)).Concat(Tagged(WaitDuration))
                .Where(static tag => tag.Key != Role).Select(static tag => $"{tag.Key}={tag.Value}").Distinct().Order(StringComparer.Ordinal);

        public T Sum<T>(MetricCollector<T> collector, string? role = null)
            where T : struct, INumber<T> =>
            Measured(collector)
                .Where(measurement => role is null || measurement.ContainsTags(new KeyValuePair<string, object?>(Role, role)))
                .Aggregate(T.Zero, static (sum, measurement) => sum + measurement.Value);

        public void Dispose()
        {
            Executions.Dispose();
            ActiveFlights.Dispose();
            Callers.Dispose();
            WaitDuration.Dispose();
        }

        private IEnumerable<KeyValuePair<string, object?>> Tagged<T>(MetricCollector<T> collector)
            where T : struct =>
            Measured(collector).SelectMany(static measurement => measurement.Tags);

        private IEnumerable<CollectedMeasurement<T>> Measured<T>(MetricCollector<T> collector)
            where T : struct =>
            collector.GetMeasurementSnapshot().Where(
                measurement => measurement.ContainsTags(new KeyValuePair<string, object?>("pipeline.name", pipeline)));
    }
}
