namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>Completes on the thread pool without allocating. For one call at a time.</summary>
internal sealed class DeferredWork : Work
{
    private readonly DeferredResult<string> _result = new(Result);
    private readonly DeferredResult<Outcome<string>> _outcome = new(Outcome.FromResult(Result));

    public override ValueTask<string> RunAsync() => _result.Start();

    public override ValueTask<Outcome<string>> RunOutcomeAsync() => _outcome.Start();
}
