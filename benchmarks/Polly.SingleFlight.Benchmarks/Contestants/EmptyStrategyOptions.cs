namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>Names the empty strategy, as the builder asks of every strategy.</summary>
internal sealed class EmptyStrategyOptions : ResilienceStrategyOptions
{
    public EmptyStrategyOptions() => Name = "Empty";
}
