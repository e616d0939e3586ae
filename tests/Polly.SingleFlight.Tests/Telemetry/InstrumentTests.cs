using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Polly.SingleFlight.Tests.Flights;

namespace Polly.SingleFlight.Tests.Telemetry;

/// <summary>S14: the meter and the activity source. Listeners see the whole process, so these tests run by themselves.</summary>
[Collection(nameof(WholeThreadPool))]
public sealed class InstrumentTests : FlightTest
{
    private readonly Gate _gate = new();

    [Fact]
    public async Task Meter_LeaderFollowerAndBypass_AreCountedByRole()
    {
        using var meter = new Recorder();
        var pipeline = new ResiliencePipelineBuilder { Name = "tokens", InstanceName = "eu", TimeProvider = Clock }.AddSingleFlight(Watched()).Build();
        var leader = Call(pipeline, "secret", Hold);
        await Probe.Reached(Started, 1);
        Assert.Equal(1, meter.Sum("polly.single_flight.active_flights"));
        Clock.Advance(TimeSpan.FromSeconds(1));
        var follower = Call(pipeline, "secret", Hold);
        await Probe.Reached(Joined, 1);
        Clock.Advance(TimeSpan.FromSeconds(2));
        _gate.Open();
        await Task.WhenAll(leader, follower);
        await Call(pipeline, "", _ => Task.FromResult(1));

        Assert.Equal(0, meter.Sum("polly.single_flight.active_flights"));
        Assert.Equal(2, meter.Sum("polly.single_flight.callers"));
        foreach (var role in new[] { "leader", "follower", "bypassed" })
        {
            Assert.Equal(1, meter.Sum("polly.single_flight.executions", role));
        }

        Assert.Equal(3, meter.Sum("polly.single_flight.wait.duration", "leader"));
        Assert.Equal(2, meter.Sum("polly.single_flight.wait.duration", "follower"));
        Assert.Equal(
            ["pipeline.instance=eu", "pipeline.name=tokens", "strategy.name=SingleFlight"],
            meter.Tags.Where(tag => tag.Key != "single_flight.role").Select(tag => $"{tag.Key}={tag.Value}").Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Meter_CallerCancelled_IsCountedByItsRole()
    {
        using var meter = new Recorder();
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        var leader = Call(pipeline, "key", Hold, source.Token);
        await Probe.Reached(Started, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);

        Assert.Equal(1, meter.Sum("polly.single_flight.executions", "leader"));
        _gate.Open();
    }

    [Fact]
    public async Task Listeners_Throw_FailNobody()
    {
        using var meter = new Recorder { Throws = true };
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
            ShouldListenTo = source => source.Name is "Polly.SingleFlight" or "test",
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

    private sealed class Recorder : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentQueue<(string Name, double Value, KeyValuePair<string, object?>[] Tags)> _seen = new();

        public Recorder()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Polly.SingleFlight")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
            _listener.Start();
        }

        public bool Throws { get; init; }

        public IEnumerable<KeyValuePair<string, object?>> Tags => _seen.SelectMany(seen => seen.Tags);

        public double Sum(string name, string? role = null) => _seen
            .Where(seen => seen.Name == name && (role is null || seen.Tags.Contains(new("single_flight.role", role))))
            .Sum(seen => seen.Value);

        public void Dispose() => _listener.Dispose();

        private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (Throws)
            {
                throw new InvalidOperationException("from a listener");
            }

            _seen.Enqueue((instrument.Name, value, tags.ToArray()));
        }
    }
}
