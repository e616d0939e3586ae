namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>Completes when told, on the thread that tells it.</summary>
internal sealed class GatedWork : Work
{
    private readonly TaskCompletionSource<string> _gate = new(TaskCreationOptions.None);

    public int Runs { get; private set; }

    public override ValueTask<string> RunAsync()
    {
        Runs++;
        return new(_gate.Task);
    }

    public void Open() => _gate.SetResult(Result);
}
