namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>All contestants of a run.</summary>
internal sealed class Lineup
{
    public Lineup()
    {
        var singleFlight = new ResiliencePipelineBuilder().AddSingleFlight().Build();
        SingleFlight = new("SingleFlight", singleFlight);
        WithoutKey = new("SingleFlight, no key", singleFlight);
    }

    public Contestant Bare { get; } = new BareCallback();

    public PipelineContestant EmptyPipeline { get; } = new("empty pipeline", ResiliencePipeline.Empty);

    public PipelineContestant Floor { get; } = new(
        "empty strategy (floor)",
        new ResiliencePipelineBuilder().AddStrategy(static _ => new EmptyStrategy(), new EmptyStrategyOptions()).Build());

    public Contestant Lazy { get; } = new LazyContestant();

    /// <summary>The idiom where single flight is: inside a pipeline, with its key in the context.</summary>
    public PipelineContestant LazyStrategy { get; } = new SingleFlightContestant(
        "Lazy as a strategy",
        new ResiliencePipelineBuilder().AddStrategy(static _ => new LazyStrategy(), new EmptyStrategyOptions()).Build());

    public Contestant HybridCache { get; } = new HybridCacheContestant();

    public Contestant FusionCache { get; } = FusionCacheContestant.StoringNothing();

    public Contestant StoringFusionCache { get; } = FusionCacheContestant.Storing();

    public SingleFlightContestant SingleFlight { get; }

    public PipelineContestant WithoutDetection { get; } = new SingleFlightContestant(
        "SingleFlight, DetectReentrancy off",
        new ResiliencePipelineBuilder().AddSingleFlight(new SingleFlightStrategyOptions { DetectReentrancy = false }).Build());

    /// <summary>The single flight pipeline for callers who set no key.</summary>
    public PipelineContestant WithoutKey { get; }

    /// <summary>Those that run the callback of every call that is alone.</summary>
    public IReadOnlyList<Contestant> Uncontended =>
        [Bare, EmptyPipeline, Floor, Lazy, LazyStrategy, HybridCache, FusionCache, SingleFlight, WithoutDetection];

    /// <summary>Those with outcomes, which there are in Polly only.</summary>
    public IReadOnlyList<PipelineContestant> Pipelines => [EmptyPipeline, Floor, LazyStrategy, SingleFlight, WithoutDetection];

    public IReadOnlyList<Contestant> Throughput => [Floor, Lazy, LazyStrategy, HybridCache, FusionCache, SingleFlight];

    /// <summary>Those that run one callback for all who wait.</summary>
    public IReadOnlyList<Contestant> Coalescers => [Lazy, LazyStrategy, HybridCache, StoringFusionCache, SingleFlight];
}
