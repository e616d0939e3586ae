namespace Polly.SingleFlight.Tests.Infrastructure;

public static class TaskExtensions
{
    /// <summary>Only there so that a bug fails a test instead of hanging it; no test waits this long when it passes.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    public static Task Soon(this Task task) => task.WaitAsync(s_limit);

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(s_limit);

    public static Task<T> Soon<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(s_limit);
}
