namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>Completes when told, on the thread that tells it.</summary>
internal sealed class GatedWork : Work
{
    private readonly TaskCompletionSource<string> _gate = new(TaskCreationOptions.None);
    private int _runs;

    public int Runs => Volatile.Read(ref _runs);

    public override ValueTask<string> RunAsync()
    {
        Interlocked.Increment(ref _runs);
        return new(_gate.Task);
    }

    public override async ValueTask<Outcome<string>> RunOutcomeAsync() => Outcome.FromResult(await RunAsync().ConfigureAwait(false));

    /// <summary>Waits for a contestant that queues the callback to the thread pool.</summary>
    public void SpinUntilRunning()
    {
        var spinner = default(SpinWait);
        while (Runs == 0)
        {
            spinner.SpinOnce(sleep1Threshold: -1);
        }
    }

    public void Open() => _gate.SetResult(Result);
}
