namespace Polly.SingleFlight.Tests.Infrastructure;

/// <summary>Holds whoever waits for it until the test opens it.</summary>
public sealed class Gate
{
    private readonly TaskCompletionSource _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Opened => _source.Task;

    public void Open() => _source.TrySetResult();

    public void OpenWith(Exception exception) => _source.TrySetException(exception);
}
