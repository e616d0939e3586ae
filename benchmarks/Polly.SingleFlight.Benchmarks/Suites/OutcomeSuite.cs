using BenchmarkDotNet.Attributes;
using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Suites;

/// <summary>One caller at a time through <c>ExecuteOutcomeAsync</c>, which there is in pipelines only; see <see cref="UncontendedCalls"/>.</summary>
[MemoryDiagnoser]
public class OutcomeSuite
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
    public Task EmptyPipeline() => _calls.RunOutcomesAsync(_lineup.EmptyPipeline, Calls);

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public Task EmptyStrategy() => _calls.RunOutcomesAsync(_lineup.Floor, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task LazyStrategy() => _calls.RunOutcomesAsync(_lineup.LazyStrategy, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task SingleFlight() => _calls.RunOutcomesAsync(_lineup.SingleFlight, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task SingleFlight_DetectReentrancyOff() => _calls.RunOutcomesAsync(_lineup.WithoutDetection, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task SingleFlight_NoKey() => _calls.RunOutcomesAsync(_lineup.WithoutKey, Calls);
}
