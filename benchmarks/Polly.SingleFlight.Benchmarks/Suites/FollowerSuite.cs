using BenchmarkDotNet.Attributes;
using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Suites;

/// <summary>
/// A thousand followers of one flight, and the parts of <see cref="FanIn"/> that a subclass times. The figures are those of one
/// follower. A round is one invocation, because its parts cannot be repeated, so there are many rounds.
/// </summary>
[MemoryDiagnoser]
[WarmupCount(Rounds)]
[IterationCount(Rounds)]
public abstract class FollowerSuite
{
    protected const int Followers = 1000;
    private const int Rounds = 150;

    private readonly Lineup _lineup = new();

    [Params(false, true)]
    public bool OwnTokens { get; set; }

    private protected FanIn FanIn { get; private set; } = null!;

    [IterationSetup(Target = nameof(LazyIdiom_NoPipeline))]
    public void PrepareLazyIdiom() => Prepare(_lineup.Lazy);

    [IterationSetup(Target = nameof(LazyStrategy))]
    public void PrepareLazyStrategy() => Prepare(_lineup.LazyStrategy);

    [IterationSetup(Target = nameof(HybridCache_NoPipeline))]
    public void PrepareHybridCache() => Prepare(_lineup.HybridCache);

    [IterationSetup(Target = nameof(FusionCacheStoring_NoPipeline))]
    public void PrepareFusionCache() => Prepare(_lineup.StoringFusionCache);

    [IterationSetup(Target = nameof(SingleFlight))]
    public void PrepareSingleFlight() => Prepare(_lineup.SingleFlight);

    [IterationCleanup]
    public void End()
    {
        AfterMeasuring();
        FanIn.End();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Followers)]
    public Task LazyIdiom_NoPipeline() => Measured();

    [Benchmark(OperationsPerInvoke = Followers)]
    public Task LazyStrategy() => Measured();

    [Benchmark(OperationsPerInvoke = Followers)]
    public Task HybridCache_NoPipeline() => Measured();

    [Benchmark(OperationsPerInvoke = Followers)]
    public Task FusionCacheStoring_NoPipeline() => Measured();

    [Benchmark(OperationsPerInvoke = Followers)]
    public Task SingleFlight() => Measured();

    protected abstract void BeforeMeasuring();

    protected abstract Task Measured();

    protected abstract void AfterMeasuring();

    private void Prepare(Contestant contestant)
    {
        FanIn = new FanIn(contestant, Followers + 1, OwnTokens);
        FanIn.Prepare();
        FanIn.Lead();
        BeforeMeasuring();
    }
}
