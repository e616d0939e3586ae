namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>How long to wait for the thread pool. After one wait in vain the test fails, and finding its shortest steps must not take hours.</summary>
internal sealed class Patience
{
    private static readonly TimeSpan s_whenFailed = TimeSpan.FromMilliseconds(100);

    private TimeSpan _limit = TimeSpan.FromSeconds(60);

    public void WaitFor(Task task)
    {
        if (!task.Wait(_limit))
        {
            _limit = s_whenFailed;
        }
    }
}
