using BenchmarkDotNet.Attributes;
using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Suites;

/// <summary>Concurrent tasks on one key and on many; see <see cref="Hammering"/>.</summary>
[MemoryDiagnoser]
public class ThroughputSuite
{
    private const int Calls = 10_000;

    private readonly Lineup _lineup = new();
    private Hammering _hammering = null!;

    [Params(2, 8)]
    public int Tasks { get; set; }

    [Params(1, 10_000)]
    public int Keys { get; set; }

    [GlobalSetup]
    public void SetUp() => _hammering = new Hammering(Tasks, Keys);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task<long> EmptyStrategy() => _hammering.RunAsync(_lineup.Floor, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task<long> LazyIdiom_NoPipeline() => _hammering.RunAsync(_lineup.Lazy, Calls);

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public Task<long> LazyStrategy() => _hammering.RunAsync(_lineup.LazyStrategy, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task<long> HybridCache_NoPipeline() => _hammering.RunAsync(_lineup.HybridCache, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task<long> FusionCacheStoringNothing_NoPipeline() => _hammering.RunAsync(_lineup.FusionCache, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task<long> SingleFlight() => _hammering.RunAsync(_lineup.SingleFlight, Calls);
}
