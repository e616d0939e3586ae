namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>Completes synchronously.</summary>
internal sealed class ImmediateWork : Work
{
    public override ValueTask<string> RunAsync() => new(Result);

    public override ValueTask<Outcome<string>> RunOutcomeAsync() => new(Outcome.FromResult(Result));
}
