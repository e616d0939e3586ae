namespace Polly.SingleFlight.Redis.Engine;

/// <summary>
/// Begins work that outlives the caller that set it off, without the caller's execution context: what a caller has in its AsyncLocals ends with the call.
/// </summary>
internal static class Detached
{
    public static ITimer CreateTimer(TimeProvider clock, TimerCallback callback, object state, TimeSpan dueTime, TimeSpan period)
    {
        using (SuppressFlow())
        {
            return clock.CreateTimer(callback, state, dueTime, period);
        }
    }

    public static Task<TResult> Run<TResult>(Func<Task<TResult>> work)
    {
        using (SuppressFlow())
        {
            return Task.Run(work);
        }
    }

    /// <summary>Begins work on this thread.</summary>
    public static TTask Begin<TTask>(Func<TTask> work)
        where TTask : Task
    {
        using (SuppressFlow())
        {
            return work();
        }
    }

    /// <summary>Has the exception of a task looked at, so that it does not count as unobserved.</summary>
    public static void Observe(Task? task)
    {
        using (SuppressFlow())
        {
            task?.ContinueWith(
                static ended => _ = ended.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    /// <summary>No flow until the end of the scope, which is left on the same thread; null if there is none already.</summary>
    public static AsyncFlowControl? SuppressFlow() => ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
}
