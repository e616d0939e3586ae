using BenchmarkDotNet.Attributes;
using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Suites;

/// <summary>What the extension method costs that rents, keys and returns the context.</summary>
[MemoryDiagnoser]
public class ConvenienceSuite
{
    private const int Calls = 1000;

    private readonly Lineup _lineup = new();
    private UncontendedCalls _calls = null!;

    [ParamsAllValues]
    public Completion Completion { get; set; }

    [GlobalSetup]
    public void SetUp() => _calls = new UncontendedCalls(Completion, TokenUse.None);

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public Task ExecuteAsync() => _calls.RunAsync(_lineup.SingleFlight, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task ExecuteSingleFlightAsync() => _calls.RunConvenienceAsync(_lineup.SingleFlight.Pipeline, Calls);
}
