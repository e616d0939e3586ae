namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>Yields once, and counts how often it ran. For any number of calls at a time.</summary>
internal sealed class YieldingWork : Work
{
    private long _runs;

    public long Runs => Interlocked.Read(ref _runs);

    public override async ValueTask<string> RunAsync()
    {
        Interlocked.Increment(ref _runs);
        await Task.Yield();
        return Result;
    }

    public override async ValueTask<Outcome<string>> RunOutcomeAsync()
    {
        Interlocked.Increment(ref _runs);
        await Task.Yield();
        return Outcome.FromResult(Result);
    }
}
