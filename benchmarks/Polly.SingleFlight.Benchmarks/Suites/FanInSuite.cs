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
    private FanIn _singleFlight = null!;

    [Params(1, 10, 100, 1000, 10_000)]
    public int Callers { get; set; }

    [Params(false, true)]
    public bool OwnTokens { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _lazy = new FanIn(_lineup.Lazy, Callers, OwnTokens);
        _singleFlight = new FanIn(_lineup.SingleFlight, Callers, OwnTokens);
    }

    [Benchmark(Baseline = true)]
    public Task LazyIdiom() => _lazy.RunAsync();

    [Benchmark]
    public Task SingleFlight() => _singleFlight.RunAsync();
}
