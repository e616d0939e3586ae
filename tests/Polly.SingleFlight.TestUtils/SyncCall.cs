namespace Polly.SingleFlight.Tests.Infrastructure;

public static class SyncCall
{
    /// <summary>Runs a synchronous execution on a thread of its own.</summary>
    public static Task<T> Start<T>(
        object key, CancellationToken token, Action<ResilienceContext>? after, Func<ResilienceContext, T> execute) =>
        StartUnlimited(key, token, after, execute).Soon();

    /// <summary>The same without the time limit, whose task could not complete without a thread of the pool.</summary>
    public static Task<T> StartUnlimited<T>(
        object key, CancellationToken token, Action<ResilienceContext>? after, Func<ResilienceContext, T> execute) =>
        StartUnlimited(() =>
        {
            var context = ResilienceContextPool.Shared.Get(token);
            try
            {
                context.SetSingleFlightKey(key);
                return execute(context);
            }
            finally
            {
                after?.Invoke(context);
                ResilienceContextPool.Shared.Return(context);
            }
        });

    /// <summary>Runs something that blocks on a thread of its own.</summary>
    public static Task<T> Start<T>(Func<T> run) => StartUnlimited(run).Soon();

    private static Task<T> StartUnlimited<T>(Func<T> run)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                result.SetResult(run());
            }
            catch (Exception exception)
            {
                result.SetException(exception);
            }
        })
        {
            IsBackground = true,
        }.Start();
        return result.Task;
    }
}
