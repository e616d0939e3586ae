using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>The hand-rolled idiom, without a pipeline.</summary>
internal sealed class LazyContestant() : Contestant("Lazy idiom")
{
    private readonly LazyIdiom<string> _results = new();
    private readonly LazyIdiom<Outcome<string>> _outcomes = new();

    public override ValueTask<string> ExecuteAsync(string key, ResilienceContext context, Work work) =>
        _results.ExecuteAsync(key, Work.Callback, context, work);

    public override ValueTask<Outcome<string>> ExecuteOutcomeAsync(string key, ResilienceContext context, Work work) =>
        _outcomes.ExecuteAsync(key, Work.OutcomeCallback, context, work);
}
