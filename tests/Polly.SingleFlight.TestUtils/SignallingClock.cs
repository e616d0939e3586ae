using Microsoft.Extensions.Time.Testing;

namespace Polly.SingleFlight.Tests.Infrastructure;

/// <summary>A clock moved by hand that lets a test wait until a timer is set: one that is set too late would never fire.</summary>
public sealed class SignallingClock : FakeTimeProvider
{
    private const string Timer = "timer";

    private readonly Probe _probe = new();

    /// <summary>Completes when so many timers have been set in all.</summary>
    public Task TimersSet(int count) => _probe.Reached(Timer, count);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _probe.Hit(Timer);
        return timer;
    }
}
