using BenchmarkDotNet.Attributes;
using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Suites;

/// <summary>Many callers of one key, from renting their contexts to the end of the last; see <see cref="FanIn"/>.</summary>
[MemoryDiagnoser]
public class FanInSuite
{
    private readonly Lineup _lineup = new();
    private FanIn _lazy = null!;
    private FanIn _lazyStrategy = null!;
    private FanIn _hybridCache = null!;
    private FanIn _fusionCache = null!;
    private FanIn _singleFlight = null!;

    [Params(1, 10, 100, 1000, 10_000)]
    public int Callers { get; set; }

    [Params(false, true)]
    public bool OwnTokens { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _lazy = new FanIn(_lineup.Lazy, Callers, OwnTokens);
        _lazyStrategy = new FanIn(_lineup.LazyStrategy, Callers, OwnTokens);
        _hybridCache = new FanIn(_lineup.HybridCache, Callers, OwnTokens);
        _fusionCache = new FanIn(_lineup.StoringFusionCache, Callers, OwnTokens);
        _singleFlight = new FanIn(_lineup.SingleFlight, Callers, OwnTokens);
    }

    [Benchmark(Baseline = true)]
    public Task LazyIdiom_NoPipeline() => _lazy.RunAsync();

    [Benchmark]
    public Task LazyStrategy() => _lazyStrategy.RunAsync();

    [Benchmark]
    public Task HybridCache_NoPipeline() => _hybridCache.RunAsync();

    [Benchmark]
    public Task FusionCacheStoring_NoPipeline() => _fusionCache.RunAsync();

    [Benchmark]
    public Task SingleFlight() => _singleFlight.RunAsync();
}
