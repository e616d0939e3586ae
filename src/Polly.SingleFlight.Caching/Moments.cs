using System.Diagnostics;

namespace Polly.SingleFlight.Caching;

/// <summary>
/// Keys that something has happened to within a span of time. Each operation costs the same however many there are, and those that are over are dropped in the
/// order in which they came.
/// </summary>
internal sealed class Moments(TimeProvider clock, TimeSpan span)
{
    private readonly object _gate = new();

    /// <summary>Guarded by the gate.</summary>
    private readonly Dictionary<object, long> _times = [];

    /// <summary>Guarded by the gate.</summary>
    private readonly Queue<(object Key, long Time)> _order = [];

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _times.Count;
            }
        }
    }

    public void Add(object key)
    {
        if (span <= TimeSpan.Zero)
        {
            return;
        }

        var now = clock.GetTimestamp();
        lock (_gate)
        {
            DropOld_NeedsLock(now);
            _times[key] = now;
            _order.Enqueue((key, now));
        }
    }

    public bool Contains(object key)
    {
        if (span <= TimeSpan.Zero)
        {
            return false;
        }

        var now = clock.GetTimestamp();
        lock (_gate)
        {
            DropOld_NeedsLock(now);
            return _times.ContainsKey(key);
        }
    }

    private void DropOld_NeedsLock(long now)
    {
        Debug.Assert(Monitor.IsEntered(_gate), "The gate is held.");
        while (_order.TryPeek(out var first) && clock.GetElapsedTime(first.Time, now) >= span)
        {
            _order.Dequeue();
            if (_times.TryGetValue(first.Key, out var time) && time == first.Time)
            {
                _times.Remove(first.Key);
            }
        }
    }
}
