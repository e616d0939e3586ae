using System.Threading.Tasks.Sources;

namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>
/// A result that is never there yet when it is asked for: it queues its completion to the thread pool only once
/// somebody awaits it, so every call is asynchronous and none allocates.
/// </summary>
internal sealed class DeferredResult<T>(T result) : IValueTaskSource<T>, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<T> _core;

    public ValueTask<T> Start()
    {
        _core.Reset();
        return new ValueTask<T>(this, _core.Version);
    }

    public T GetResult(short token) => _core.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        _core.OnCompleted(continuation, state, token, flags);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _core.SetResult(result);
}
