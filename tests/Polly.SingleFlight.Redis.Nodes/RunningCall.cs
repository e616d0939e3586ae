namespace Polly.SingleFlight.Redis.Nodes;

/// <summary>A call on a node.</summary>
internal sealed class RunningCall(int number, string key, Work work) : IDisposable
{
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _leaving = new();

    public int Number => number;

    public string Key => key;

    public bool Fails => work.Fails;

    public CancellationToken Token => _leaving.Token;

    public void Open() => _open.TrySetResult();

    public void Leave()
    {
        try
        {
            _leaving.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call has just ended.
        }
    }

    public void Dispose() => _leaving.Dispose();

    public Task WorkAsync(CancellationToken token) => work.Time is { } time ? Task.Delay(time, token) : _open.Task.WaitAsync(token);
}
