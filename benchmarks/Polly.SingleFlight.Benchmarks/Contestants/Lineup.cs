namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>All contestants of a run.</summary>
internal sealed class Lineup
{
    public Lineup()
    {
        var singleFlight = new ResiliencePipelineBuilder().AddSingleFlight().Build();
        SingleFlight = new("SingleFlight", singleFlight);
        WithoutKey = new PipelineContestant("SingleFlight, no key", singleFlight);
    }

    public Contestant Bare { get; } = new BareCallback();

    public Contestant EmptyPipeline { get; } = new PipelineContestant("empty pipeline", ResiliencePipeline.Empty);

    public Contestant Floor { get; } = new PipelineContestant(
        "empty strategy (floor)",
        new ResiliencePipelineBuilder().AddStrategy(static _ => new EmptyStrategy(), new EmptyStrategyOptions()).Build());

    public Contestant Lazy { get; } = new LazyContestant();

    /// <summary>The idiom where single flight is: inside a pipeline, with its key in the context.</summary>
    public Contestant LazyStrategy { get; } = new SingleFlightContestant(
        "Lazy idiom as a strategy",
        new ResiliencePipelineBuilder().AddStrategy(static _ => new LazyStrategy(), new EmptyStrategyOptions()).Build());

    public SingleFlightContestant SingleFlight { get; }

    public Contestant WithoutDetection { get; } = new SingleFlightContestant(
        "SingleFlight, DetectReentrancy off",
        new ResiliencePipelineBuilder().AddSingleFlight(new SingleFlightStrategyOptions { DetectReentrancy = false }).Build());

    /// <summary>The single flight pipeline for callers who set no key.</summary>
    public Contestant WithoutKey { get; }

    public IReadOnlyList<Contestant> Uncontended => [Bare, EmptyPipeline, Floor, Lazy, LazyStrategy, SingleFlight, WithoutDetection];
}
