using System.Diagnostics;

namespace Polly.SingleFlight.Caching.Calls;

/// <summary>
/// What was evicted on this node lately, over a cache with something behind the memory of the process: a look-up that was in the air meanwhile may bring back, and put into that
/// memory, what it has read before. Each operation costs the same however many there are, and records are dropped in the order in which they came.
/// </summary>
internal sealed class RecentEvictions(TimeProvider clock, TimeSpan span)
{
    private readonly object _gate = new();

    /// <summary>Guarded by the gate.</summary>
    private readonly Dictionary<object, (DateTimeOffset UpTo, long Time)> _keys = [];

    /// <summary>Guarded by the gate.</summary>
    private readonly Queue<(object Key, long Time)> _order = [];

    /// <summary>How many keys there are, for readers who look without the gate. Written under it.</summary>
    private volatile int _count;

    /// <summary>The UTC ticks up to which everything is evicted.</summary>
    private long _all;

    /// <summary>The UTC ticks of the latest start of a call, which may be ahead of the clock.</summary>
    private long _latestStart;

    /// <summary>The start of a call that begins now: later than what is evicted, and than what the caller saw, also on a clock that has not moved or is behind that of another machine.</summary>
    public DateTimeOffset Start(object storageKey, DateTimeOffset seen)
    {
        var start = Math.Max(clock.GetUtcNow().UtcTicks, Math.Max(UpTo(storageKey).UtcTicks, seen.UtcTicks) + 1);
        for (var latest = Interlocked.Read(ref _latestStart); latest < start;)
        {
            var before = Interlocked.CompareExchange(ref _latestStart, start, latest);
            latest = before == latest ? start : before;
        }

        return new DateTimeOffset(start, TimeSpan.Zero);
    }

    /// <summary>Notes that results of calls which began up to a time are evicted.</summary>
    public void Add(object storageKey, DateTimeOffset upTo)
    {
        var now = clock.GetTimestamp();
        lock (_gate)
        {
            DropOld_NeedsLock(now);
            _keys[storageKey] = (_keys.TryGetValue(storageKey, out var known) && known.UpTo > upTo ? known.UpTo : upTo, now);
            _order.Enqueue((storageKey, now));
            _count = _keys.Count;
        }
    }

    /// <summary>Notes that results of calls which have begun are evicted, and returns the time up to which: later than the last, also on a clock that has not moved.</summary>
    public DateTimeOffset AddNow(object storageKey)
    {
        var now = clock.GetUtcNow();
        var upTo = new DateTimeOffset(Math.Max(now.UtcTicks, Math.Max(UpTo(storageKey).UtcTicks + 1, Interlocked.Read(ref _latestStart))), TimeSpan.Zero);
        Add(storageKey, upTo);
        return upTo;
    }

    /// <summary>The same for all keys, for good.</summary>
    public void AddAll()
    {
        long last;
        long upTo;
        do
        {
            last = Interlocked.Read(ref _all);
            upTo = Math.Max(clock.GetUtcNow().UtcTicks, Math.Max(last + 1, Interlocked.Read(ref _latestStart)));
        }
        while (Interlocked.CompareExchange(ref _all, upTo, last) != last);
    }

    /// <summary>The time up to which results of a key are evicted; the least there is if none are.</summary>
    public DateTimeOffset UpTo(object storageKey)
    {
        var all = new DateTimeOffset(Interlocked.Read(ref _all), TimeSpan.Zero);
        if (_count == 0)
        {
            return all;
        }

        lock (_gate)
        {
            DropOld_NeedsLock(clock.GetTimestamp());
            return _keys.TryGetValue(storageKey, out var known) && known.UpTo > all ? known.UpTo : all;
        }
    }

    private void DropOld_NeedsLock(long now)
    {
        Debug.Assert(Monitor.IsEntered(_gate), "The gate is held.");
        while (_order.TryPeek(out var first) && clock.GetElapsedTime(first.Time, now) >= span)
        {
            _order.Dequeue();
            if (_keys.TryGetValue(first.Key, out var known) && known.Time == first.Time)
            {
                _keys.Remove(first.Key);
            }
        }

        _count = _keys.Count;
    }
}
