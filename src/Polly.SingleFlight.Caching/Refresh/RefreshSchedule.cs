namespace Polly.SingleFlight.Caching.Refresh;

/// <summary>
/// Which keys are being refreshed, how many at a time, and which may not be for a moment because their last refresh failed.
/// </summary>
internal sealed class RefreshSchedule(TimeProvider clock, int maxConcurrent)
{
    /// <summary>How long after a failure a key is left alone.</summary>
    public static readonly TimeSpan BackOff = TimeSpan.FromSeconds(5);

    private readonly Moments _failures = new(clock, BackOff);
    private readonly object _gate = new();

    /// <summary>Guarded by the gate. The value tells one refresh of a key from the next.</summary>
    private readonly Dictionary<object, object> _running = [];

    /// <summary>Begins a refresh unless there is one, there are too many, or the last has failed a moment ago.</summary>
    public bool TryBegin(object key, object refresh)
    {
        if (_failures.Contains(key))
        {
            return false;
        }

        lock (_gate)
        {
            return _running.Count < maxConcurrent && _running.TryAdd(key, refresh);
        }
    }

    /// <summary>Ends a refresh; one that was given up already is not ended again.</summary>
    public void End(object key, object refresh, bool succeeded)
    {
        lock (_gate)
        {
            if (!_running.TryGetValue(key, out var current) || current != refresh)
            {
                return;
            }

            _running.Remove(key);
        }

        if (!succeeded)
        {
            _failures.Add(key);
        }
    }

    /// <summary>How many refreshes are queued or running.</summary>
    public int RunningCount
    {
        get
        {
            lock (_gate)
            {
                return _running.Count;
            }
        }
    }

    /// <summary>How many failures are remembered.</summary>
    public int FailureCount => _failures.Count;
}
