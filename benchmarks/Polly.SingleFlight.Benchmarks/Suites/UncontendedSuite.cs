using BenchmarkDotNet.Attributes;
using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Suites;

/// <summary>One caller at a time; see <see cref="UncontendedCalls"/>.</summary>
[MemoryDiagnoser]
public class UncontendedSuite
{
    private const int Calls = 1000;

    private readonly Lineup _lineup = new();
    private UncontendedCalls _calls = null!;

    [ParamsAllValues]
    public Completion Completion { get; set; }

    [ParamsAllValues]
    public TokenUse Tokens { get; set; }

    [GlobalSetup]
    public void SetUp() => _calls = new UncontendedCalls(Completion, Tokens);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task BareCallback() => _calls.RunAsync(_lineup.Bare, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task EmptyPipeline() => _calls.RunAsync(_lineup.EmptyPipeline, Calls);

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public Task EmptyStrategy() => _calls.RunAsync(_lineup.Floor, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task LazyIdiom_NoPipeline() => _calls.RunAsync(_lineup.Lazy, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task LazyStrategy() => _calls.RunAsync(_lineup.LazyStrategy, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task HybridCache_NoPipeline() => _calls.RunAsync(_lineup.HybridCache, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task FusionCacheStoringNothing_NoPipeline() => _calls.RunAsync(_lineup.FusionCache, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task SingleFlight() => _calls.RunAsync(_lineup.SingleFlight, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task SingleFlight_DetectReentrancyOff() => _calls.RunAsync(_lineup.WithoutDetection, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task SingleFlight_NoKey() => _calls.RunAsync(_lineup.WithoutKey, Calls);
}
