namespace Polly.SingleFlight.Caching.Calls;

/// <summary>Keeps callers from waiting longer than a limit for a cache.</summary>
internal static class Limited
{
    /// <summary>
    /// Runs an operation whose token fires at the limit, and returns then even if the operation ignores it.
    /// </summary>
    /// <exception cref="TimeoutException">The limit has passed.</exception>
    /// <exception cref="OperationCanceledException">The caller's token has fired.</exception>
    public static async ValueTask<T> RunAsync<T, TState>(
        Func<TState, CancellationToken, ValueTask<T>> operation, TState state, TimeSpan limit, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limit, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var pending = operation(state, linked.Token);
            return pending.IsCompleted
                ? await pending.ConfigureAwait(false)
                : await Observed(pending.AsTask()).WaitAsync(linked.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The cache has not answered within {limit}.");
        }
    }

    /// <summary>The same task. Its exception counts as observed also when no caller waits for it any more.</summary>
    public static Task<T> Observed<T>(Task<T> task)
    {
        _ = task.ContinueWith(
            static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return task;
    }
}
