using System.Collections.Concurrent;
using System.Diagnostics;
using Polly.SingleFlight.Tests.Flights;

namespace Polly.SingleFlight.Tests.Telemetry;

/// <summary>S14: what the activities of flights and waits say. A listener sees the whole process, so these tests run by themselves.</summary>
[Collection(nameof(WholeThreadPool))]
public sealed class SpanTests : FlightTest
{
    private const string Flight = "single_flight.flight";
    private const string Wait = "single_flight.wait";

    private readonly ConcurrentQueue<Activity> _stopped = new();
    private readonly ActivityListener _listener;
    private readonly ActivitySource _source = new("spans");
    private readonly Gate _gate = new();

    public SpanTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name is "Polly.SingleFlight" or "spans",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (Equals(activity.GetTagItem("pipeline.name"), "spans"))
                {
                    _stopped.Enqueue(activity);
                    Probe.Hit(activity.OperationName);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public override ValueTask DisposeAsync()
    {
        _listener.Dispose();
        _source.Dispose();
        return base.DisposeAsync();
    }

    [Fact]
    public async Task Tags_OfAResult_SayRolesCallersAndOutcome()
    {
        var pipeline = Named(Watched());
        var leader = Call(pipeline, "secret", Hold);
        await Probe.Reached(Started, 1);
        var followers = new[] { Call(pipeline, "secret", Hold), Call(pipeline, "secret", Hold) };
        await Probe.Reached(Joined, 2);
        _gate.Open();
        await Task.WhenAll([leader, .. followers]);

        await Probe.Reached(Flight, 1);
        Assert.Equal([Names("leader", "callers=3", "outcome=success")], Spans(Flight));
        Assert.Equal([Names("follower", "outcome=success"), Names("follower", "outcome=success")], Spans(Wait));
        Assert.All(_stopped, static span => Assert.Equal(ActivityStatusCode.Unset, span.Status));
    }

    [Fact]
    public async Task Tags_WithoutNames_LeaveThemOut()
    {
        var options = Watched();
        options.Name = "";
        var pipeline = new ResiliencePipelineBuilder { Name = "spans" }.AddSingleFlight(options).Build();
        await Call(pipeline, "key", static _ => Task.FromResult(1));

        Assert.Equal(
            ["pipeline.name=spans single_flight.callers=1 single_flight.outcome=success single_flight.role=leader"],
            Spans(Flight));
    }

    /// <summary>For a sampler, which decides before anything has happened.</summary>
    [Fact]
    public async Task Tags_KnownAtTheStart_AreShownToTheSampler()
    {
        var seen = new ConcurrentQueue<string>();
        using var sampler = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Polly.SingleFlight",
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
            {
                seen.Enqueue(Show(options.Tags ?? []));
                return ActivitySamplingResult.AllData;
            },
        };
        ActivitySource.AddActivityListener(sampler);
        await Call(Named(Watched()), "key", static _ => Task.FromResult(1));

        Assert.Contains(Names("leader"), seen);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tags_OfAnException_NameItsTypeAndNoMessage(bool callsBack)
    {
        var options = Watched();
        if (!callsBack)
        {
            // The callback of this event makes the leader end in another way.
            options.OnFlightCompleted = null;
        }
        else
        {
            options.OnFlightCompleted += async _ => await Task.Yield();
        }

        var pipeline = Named(options);
        var leader = Call(pipeline, "key", Throw);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", Hold);
        await Probe.Reached(Joined, 1);
        _gate.Open();
        await Assert.ThrowsAsync<FormatException>(() => leader);
        await Assert.ThrowsAsync<FormatException>(() => follower);

        AssertFailed("System.FormatException", callers: 2);

        async Task<int> Throw(ResilienceContext context)
        {
            await _gate.Opened;
            throw new FormatException("secret");
        }
    }

    [Fact]
    public async Task Tags_OfASynchronousException_NameItsType()
    {
        await Assert.ThrowsAsync<FormatException>(() => Call<int>(Named(Watched()), "key", static _ => throw new FormatException("secret")));

        Assert.Equal([Names("leader", "callers=1", "error.type=System.FormatException", "outcome=failure")], Spans(Flight));
        Assert.Equal(ActivityStatusCode.Error, Assert.Single(_stopped).Status);
    }

    [Fact]
    public async Task Tags_OfAFollowerWhoseTokenFires_SayThatItLeft()
    {
        using var source = new CancellationTokenSource();
        var pipeline = Named(Watched());
        var leader = Call(pipeline, "key", Hold);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", Hold, source.Token);
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(follower, source.Token);
        _gate.Open();
        await leader;

        await Probe.Reached(Flight, 1);
        Assert.Equal([Names("follower", "outcome=left")], Spans(Wait));
        Assert.Equal([Names("leader", "callers=2", "outcome=success")], Spans(Flight));
        Assert.All(_stopped, static span => Assert.Equal(ActivityStatusCode.Unset, span.Status));
    }

    /// <summary>What the callback returns or throws then is nobody's outcome.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tags_WhenAllCallersLeave_SayAbandoned(bool throws)
    {
        using var source = new CancellationTokenSource();
        var pipeline = Named(Watched());
        var leader = Call(
            pipeline,
            "key",
            async _ =>
            {
                await _gate.Opened;
                return throws ? throw new FormatException() : 1;
            },
            source.Token);
        await Probe.Reached(Started, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);
        _gate.Open();

        await Probe.Reached(Flight, 1);
        Assert.Equal([Names("leader", "callers=1", "outcome=abandoned")], Spans(Flight));
        Assert.Equal(ActivityStatusCode.Unset, Assert.Single(_stopped).Status);
    }

    [Fact]
    public async Task Tags_WhenTheLeaderHandsOver_SaySoAndThatAFollowerWasElected()
    {
        var options = Watched();
        options.LeaderDeparture = LeaderDeparture.HandOver;
        using var source = new CancellationTokenSource();
        var pipeline = Named(options);
        var first = Call(pipeline, "key", Hold, source.Token);
        await Probe.Reached(Started, 1);
        var (elected, other) = (Call(pipeline, "key", Hold), Call(pipeline, "key", Hold));
        await Probe.Reached(Joined, 2);
        await source.CancelAsync();
        await IsCanceledBy(first, source.Token);
        await Probe.Reached(Started, 2);
        _gate.Open();
        await Task.WhenAll(elected, other);

        await Probe.Reached(Flight, 2);
        Assert.Equal([Names("leader", "callers=2", "outcome=success"), Names("leader", "callers=3", "outcome=handed_over")], Spans(Flight).Order());
        Assert.Equal([Names("follower", "outcome=elected"), Names("follower", "outcome=success")], Spans(Wait).Order());
        Assert.Equal(Linked("elected").SpanId, Single(Flight, "handed_over").SpanId);
        Assert.Equal(Linked("success").SpanId, Single(Flight, "success").SpanId);
    }

    [Fact]
    public async Task Tags_WhenTheGroupCancels_SayCanceled()
    {
        var pipeline = Named(Watched());
        var leader = Call(pipeline, "key", Hold);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", Hold);
        await Probe.Reached(Joined, 1);
        Assert.True(Group.Cancel("key"));
        await Assert.ThrowsAsync<FlightCanceledException>(() => leader);
        await Assert.ThrowsAsync<FlightCanceledException>(() => follower);
        _gate.Open();

        await Probe.Reached(Flight, 1);
        Assert.Equal([Names("leader", "callers=2", "outcome=canceled")], Spans(Flight));
        Assert.Equal([Names("follower", "error.type=Polly.SingleFlight.FlightCanceledException", "outcome=failure")], Spans(Wait));
    }

    [Fact]
    public async Task Tags_OfAFollowerThatIsNotGivenTheResult_SayAlone()
    {
        var options = Watched(new SingleFlightStrategyOptions<int> { ShouldShare = static _ => new(false) });
        var pipeline = new ResiliencePipelineBuilder<int> { Name = "spans", InstanceName = "eu" }.AddSingleFlight(options).Build();
        var leader = Call(pipeline, "key", Hold);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", Hold);
        await Probe.Reached(Joined, 1);
        _gate.Open();
        await Task.WhenAll(leader, follower);

        await Probe.Reached(Flight, 1);
        Assert.Equal([Names("follower", "outcome=alone")], Spans(Wait));
        Assert.Equal([Names("leader", "callers=2", "outcome=success")], Spans(Flight));
        Assert.Equal(Linked("alone").SpanId, Single(Flight, "success").SpanId);
    }

    private void AssertFailed(string type, int callers)
    {
        Assert.Equal([Names("leader", $"callers={callers}", $"error.type={type}", "outcome=failure")], Spans(Flight));
        Assert.Equal([Names("follower", $"error.type={type}", "outcome=failure")], Spans(Wait));
        Assert.All(_stopped, static span =>
        {
            Assert.Equal((ActivityStatusCode.Error, null), (span.Status, span.StatusDescription));
            Assert.Empty(span.Events);
        });
    }

    private static ResiliencePipeline Named(SingleFlightStrategyOptions options) =>
        new ResiliencePipelineBuilder { Name = "spans", InstanceName = "eu" }.AddSingleFlight(options).Build();

    private async Task<int> Hold(ResilienceContext context)
    {
        await _gate.Opened;
        return 1;
    }

    private Activity Single(string name, string outcome) =>
        Assert.Single(_stopped, span => span.OperationName == name && Equals(span.GetTagItem("single_flight.outcome"), outcome));

    private ActivityContext Linked(string outcome) => Assert.Single(Single(Wait, outcome).Links).Context;

    private IEnumerable<string> Spans(string name) => _stopped.Where(span => span.OperationName == name).Select(static span => Show(span.TagObjects));

    private static string Show(IEnumerable<KeyValuePair<string, object?>> tags) =>
        string.Join(' ', tags.Select(static tag => $"{tag.Key}={tag.Value}").Order(StringComparer.Ordinal));

    /// <summary>The tags of a span of <see cref="Named"/> as text, in the order of the alphabet.</summary>
    private static string Names(string role, params string[] others) => string.Join(
        ' ',
        others.Select(static other => other.StartsWith("error", StringComparison.Ordinal) ? other : $"single_flight.{other}")
            .Concat(["pipeline.instance=eu", "pipeline.name=spans", $"single_flight.role={role}", "strategy.name=SingleFlight"])
            .Order(StringComparer.Ordinal));
}
