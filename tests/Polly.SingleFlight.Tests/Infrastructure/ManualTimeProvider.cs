namespace Polly.SingleFlight.Tests.Infrastructure;

/// <summary>A clock that moves only when a test says so. Timers fire inside <see cref="Advance"/>.</summary>
internal sealed class ManualTimeProvider : TimeProvider
{
    private static readonly TimeSpan s_never = global::System.Threading.Timeout.InfiniteTimeSpan;

    private readonly List<ManualTimer> _timers = [];
    private readonly Probe _probe = new();
    private long _ticks = TimeSpan.TicksPerDay;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public override DateTimeOffset GetUtcNow() => new(GetTimestamp(), TimeSpan.Zero);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Completes when so many timers have been set in all.</summary>
    public Task TimersSet(int count) => _probe.Reached("timer", count);

    public void Advance(TimeSpan by)
    {
        var now = Interlocked.Add(ref _ticks, by.Ticks);
        List<ManualTimer> due;
        lock (_timers)
        {
            due = _timers.FindAll(timer => timer.DueAt <= now);
            _timers.RemoveAll(due.Contains);
        }

        due.ForEach(static timer => timer.Fire());
    }

    private sealed class ManualTimer(ManualTimeProvider clock, Action fire) : ITimer
    {
        public long DueAt { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._timers)
            {
                clock._timers.Remove(this);
                if (dueTime != s_never)
                {
                    DueAt = clock.GetTimestamp() + dueTime.Ticks;
                    clock._timers.Add(this);
                    clock._probe.Hit("timer");
                }
            }

            return true;
        }

        public void Dispose() => Change(s_never, s_never);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
