using Microsoft.Extensions.Time.Testing;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>A clock moved by hand. A test that moves it past a delay first waits until the delay has begun.</summary>
internal sealed class DelayClock : FakeTimeProvider
{
    private TaskCompletionSource? _next;

    /// <summary>Completes when a further timer is set.</summary>
    public Task NextTimer()
    {
        var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _next, next);
        return next.Task;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Interlocked.Exchange(ref _next, null)?.TrySetResult();
        return timer;
    }
}
