using Microsoft.Extensions.Time.Testing;

namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

internal static class FakeTime
{
    /// <summary>Moves the clock until a task ends that looks by it, as a registry does whose pipelines are still in use.</summary>
    public static async Task EndBy(this Task task, FakeTimeProvider clock)
    {
        while (!task.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(task, Task.Run(static () => { }));
        }

        await task;
    }
}
