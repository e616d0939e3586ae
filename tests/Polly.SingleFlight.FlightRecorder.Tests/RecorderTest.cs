using System.Diagnostics;

namespace FlightRecorder.Tests;

/// <summary>The base of tests that record flights of a pipeline named "tokens", whose callers have activities with a tag "region".</summary>
public abstract class RecorderTest : FlightTest
{
    protected const string FlightEnded = "flight ended";

    private readonly ActivitySource _callers = new("callers");
    private ActivityListener? _listener;
    private Recorder? _recorder;

    protected Gate Gate { get; } = new();

    public override ValueTask DisposeAsync()
    {
        _recorder?.Dispose();
        _listener?.Dispose();
        _callers.Dispose();
        GC.SuppressFinalize(this);
        return base.DisposeAsync();
    }

    protected Recorder Record(RecorderOptions? options = null)
    {
        _recorder = new Recorder(options ?? new() { CallerSources = ["callers"], Lane = static activity => activity.GetTagItem("region") as string });

        // Listeners are called in the order in which they were added, so what this one has seen the recorder has.
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Polly.SingleFlight",
            ActivityStopped = activity => Probe.Hit(activity.OperationName == "single_flight.flight" ? FlightEnded : "wait ended"),
        };
        ActivitySource.AddActivityListener(_listener);
        return _recorder;
    }

    protected ResiliencePipeline Tokens(LeaderDeparture departure = LeaderDeparture.Detach)
    {
        var options = Watched();
        options.LeaderDeparture = departure;
        return new ResiliencePipelineBuilder { Name = "tokens" }.AddSingleFlight(options).Build();
    }

    /// <summary>Starts a caller in an activity of its own.</summary>
    protected async Task<string> Ask(
        ResiliencePipeline pipeline, string caller, string? region, Func<ResilienceContext, Task<string>> callback, CancellationToken token = default)
    {
        using var activity = _callers.StartActivity(ActivityKind.Internal, tags: [new("region", region)], name: caller);
        return await Call(pipeline, region ?? "none", callback, token);
    }

    /// <summary>Starts a flight of a leader and so many followers, which ends when the gate is opened.</summary>
    protected async Task<IReadOnlyList<Task<string>>> AskTogether(ResiliencePipeline pipeline, string region, int followers)
    {
        var (started, joined) = (Probe[Started], Probe[Joined]);
        var callers = new List<Task<string>> { Ask(pipeline, "caller 1", region, Hold) };
        await Probe.Reached(Started, started + 1);
        callers.AddRange(Enumerable.Range(2, followers).Select(number => Ask(pipeline, $"caller {number}", region, Hold)));
        await Probe.Reached(Joined, joined + followers);
        return callers;
    }

    protected async Task<string> Hold(ResilienceContext context)
    {
        await Gate.Opened.WaitAsync(context.CancellationToken);
        return "token";
    }

    protected static Task<string> Answer(ResilienceContext context) => Task.FromResult("token");
}
