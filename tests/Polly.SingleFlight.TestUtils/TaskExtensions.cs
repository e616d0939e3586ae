namespace Polly.SingleFlight.Tests.Infrastructure;

public static class TaskExtensions
{
    /// <summary>Only there so that a bug fails a test instead of hanging it; no test waits this long when it passes.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    public static Task Soon(this Task task) => Observed(task.WaitAsync(s_limit));

    public static Task<T> Soon<T>(this Task<T> task) => Observed(task.WaitAsync(s_limit));

    public static Task<T> Soon<T>(this ValueTask<T> task) => task.AsTask().Soon();

    /// <summary>
    /// Lets a wait time out that its test has left behind, as a held caller may be: on a slow machine that would be blamed on the test that
    /// runs a minute later. A test that awaits it gets the exception all the same.
    /// </summary>
    private static T Observed<T>(T wait)
        where T : Task
    {
        wait.ContinueWith(
            static ended => _ = ended.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return wait;
    }
}
