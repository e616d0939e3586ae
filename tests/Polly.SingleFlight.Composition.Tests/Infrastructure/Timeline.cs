using Microsoft.Extensions.Time.Testing;

namespace Polly.SingleFlight.Composition.Tests.Infrastructure;

/// <summary>
/// A manual clock that knows which timers are due when, so that a test moves it only when those are set that it expects:
/// then everybody who is going to wait for that moment does.
/// </summary>
internal sealed class Timeline : FakeTimeProvider
{
    private static readonly TimeSpan s_never = global::System.Threading.Timeout.InfiniteTimeSpan;

    private readonly object _gate = new();
    private readonly HashSet<Timer> _pending = [];
    private readonly List<(TimeSpan? At, int Count, TaskCompletionSource Reached)> _waits = [];

    public TimeSpan Now => GetUtcNow() - Start;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void MoveTo(TimeSpan at) => SetUtcNow(Start + at);

    /// <summary>Completes when exactly so many timers are due at that moment.</summary>
    public Task Due(TimeSpan at, int count) => Counted(at, count);

    /// <summary>Completes when exactly so many timers are set in all.</summary>
    public Task Set(int count) => Counted(null, count);

    public override string ToString()
    {
        lock (_gate)
        {
            return string.Join(", ", _pending.GroupBy(timer => timer.DueAt).OrderBy(group => group.Key).Select(group => $"{group.Count()} at {group.Key}"));
        }
    }

    private async Task Counted(TimeSpan? at, int count)
    {
        Task reached;
        lock (_gate)
        {
            if (CountAt(at) == count)
            {
                return;
            }

            var wait = (at, count, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            _waits.Add(wait);
            reached = wait.Item3.Task;
        }

        try
        {
            await reached.Soon();
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Waited in vain for {count} timers at {at?.ToString() ?? "any time"}; there are: {this}.");
        }
    }

    private int CountAt(TimeSpan? at) => at is null ? _pending.Count : _pending.Count(timer => timer.DueAt == at);

    private void Move(Timer timer, TimeSpan? dueAt)
    {
        lock (_gate)
        {
            _pending.Remove(timer);
            timer.DueAt = dueAt;
            if (dueAt is not null)
            {
                _pending.Add(timer);
            }

            foreach (var (at, count, reached) in _waits)
            {
                if (CountAt(at) == count)
                {
                    reached.TrySetResult();
                }
            }

            _waits.RemoveAll(static wait => wait.Reached.Task.IsCompleted);
        }
    }

    private ITimer CreateInner(Action fire) => base.CreateTimer(
        static fire => ((Action)fire!)(), fire, s_never, s_never);

    private sealed class Timer : ITimer
    {
        private readonly Timeline _timeline;
        private readonly ITimer _timer;

        public Timer(Timeline timeline, TimerCallback callback, object? state)
        {
            _timeline = timeline;
            _timer = timeline.CreateInner(() =>
            {
                timeline.Move(this, null);
                callback(state);
            });
        }

        public TimeSpan? DueAt { get; set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _timer.Change(dueTime, period);
            _timeline.Move(this, dueTime == s_never ? null : _timeline.Now + dueTime);
            return true;
        }

        public void Dispose()
        {
            _timer.Dispose();
            _timeline.Move(this, null);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
