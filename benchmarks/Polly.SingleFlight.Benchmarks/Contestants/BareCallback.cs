using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>No pipeline at all: the callback is called.</summary>
internal sealed class BareCallback() : Contestant("bare callback")
{
    public override ValueTask<string> ExecuteAsync(string key, ResilienceContext context, Work work) =>
        Work.Callback(context, work);

    public override ValueTask<Outcome<string>> ExecuteOutcomeAsync(string key, ResilienceContext context, Work work) =>
        Work.OutcomeCallback(context, work);
}
