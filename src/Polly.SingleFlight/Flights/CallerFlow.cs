namespace Polly.SingleFlight.Flights;

/// <summary>
/// Where a caller's code runs that another thread starts: on the caller's execution context, and on its synchronization context if the caller asked for
/// that.
/// </summary>
internal readonly struct CallerFlow
{
    private readonly ExecutionContext? _executionContext;
    private readonly SynchronizationContext? _synchronizationContext;

    private CallerFlow(ExecutionContext? executionContext, SynchronizationContext? synchronizationContext)
    {
        _executionContext = executionContext;
        _synchronizationContext = synchronizationContext;
    }

    /// <summary>Takes down the flow of the calling thread.</summary>
    public static CallerFlow Capture(ResilienceContext context) =>
        new(ExecutionContext.Capture(), context.ContinueOnCapturedContext ? SynchronizationContext.Current : null);

    /// <summary>Runs code of the caller. Does not throw unless the code does.</summary>
    public void Run(ContextCallback code, object state)
    {
        try
        {
            if (_synchronizationContext is { } target)
            {
                var executionContext = _executionContext;
                target.Post(_ => RunOn(executionContext, code, state), null);
                return;
            }
        }
        catch (Exception)
        {
            // A synchronization context that takes no more work, a window that was closed say, must not lose the caller.
        }

        RunOn(_executionContext, code, state);
    }

    private static void RunOn(ExecutionContext? executionContext, ContextCallback code, object state)
    {
        if (executionContext is null)
        {
            code(state);
        }
        else
        {
            ExecutionContext.Run(executionContext, code, state);
        }
    }
}
