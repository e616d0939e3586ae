namespace Polly.SingleFlight.Tests.Infrastructure;

/// <summary>A thread pool that has as few threads as it can have, to be blocked by a test.</summary>
public sealed class ExhaustedThreadPool : IDisposable
{
    private readonly (int Workers, int Ports) _minimum;
    private readonly (int Workers, int Ports) _maximum;
    private readonly int _size = Environment.ProcessorCount;
    private readonly List<Thread> _blocked = [];

    public ExhaustedThreadPool()
    {
        ThreadPool.GetMinThreads(out _minimum.Workers, out _minimum.Ports);
        ThreadPool.GetMaxThreads(out _maximum.Workers, out _maximum.Ports);
        Assert.True(ThreadPool.SetMinThreads(_size, _minimum.Ports));
        Assert.True(ThreadPool.SetMaxThreads(_size, _maximum.Ports));
    }

    public Task<T>[] BlockEveryThread<T>(Func<T> block) =>
        [.. Enumerable.Range(0, _size).Select(_ =>
        {
            var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
            ThreadPool.UnsafeQueueUserWorkItem(_ =>
            {
                lock (_blocked)
                {
                    _blocked.Add(Thread.CurrentThread);
                }

                try
                {
                    result.SetResult(block());
                }
                catch (Exception exception)
                {
                    result.SetException(exception);
                }
            }, null);
            return result.Task;
        })];

    /// <summary>Waits until the threads do wait, which is a little later than what they do before they wait.</summary>
    public void WaitUntilAllAreBlocked() => Assert.True(SpinWait.SpinUntil(
        () =>
        {
            lock (_blocked)
            {
                return _blocked.Count == _size && _blocked.TrueForAll(static thread => thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin));
            }
        },
        TimeSpan.FromSeconds(60)));

    public void Dispose()
    {
        ThreadPool.SetMaxThreads(_maximum.Workers, _maximum.Ports);
        ThreadPool.SetMinThreads(_minimum.Workers, _minimum.Ports);
    }
}
