namespace Polly.SingleFlight.Redis.Engine;

/// <summary>
/// Begins work that outlives the caller that set it off, without the caller's execution context: what a caller has in its AsyncLocals ends with the call.
/// </summary>
internal static class Detached
{
    public static ITimer CreateTimer(TimeProvider clock, TimerCallback callback, object state, TimeSpan dueTime, TimeSpan period)
    {
        using (Suppress())
        {
            return clock.CreateTimer(callback, state, dueTime, period);
        }
    }

    public static Task<TResult> Run<TResult>(Func<Task<TResult>> work)
    {
        using (Suppress())
        {
            return Task.Run(work);
        }
    }

    /// <summary>No flow until the end of the scope, which is left on the same thread; null if there is none already.</summary>
    private static AsyncFlowControl? Suppress() => ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
}
