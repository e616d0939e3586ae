using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>No pipeline at all: the callback is called.</summary>
internal sealed class BareCallback() : Contestant("bare callback")
{
    public override ValueTask<string> ExecuteAsync(string key, ResilienceContext? context, Work work, CancellationToken token) =>
        Work.Factory(work, token);
}
