namespace Polly.SingleFlight.Caching;

/// <summary>
/// Which keys are being refreshed, and which may not be for a moment because their last refresh failed.
/// </summary>
internal sealed class RefreshSchedule(TimeProvider clock)
{
    /// <summary>How long after a failure a key is left alone.</summary>
    public static readonly TimeSpan BackOff = TimeSpan.FromSeconds(5);

    private const int FailuresKept = 1024;

    private readonly object _gate = new();
    private readonly HashSet<object> _running = [];
    private readonly Dictionary<object, long> _failedAt = [];

    public bool TryBegin(object key)
    {
        var now = clock.GetTimestamp();
        lock (_gate)
        {
            if (_failedAt.TryGetValue(key, out var at))
            {
                if (clock.GetElapsedTime(at, now) < BackOff)
                {
                    return false;
                }

                _failedAt.Remove(key);
            }

            return _running.Add(key);
        }
    }

    public void End(object key, bool succeeded)
    {
        var now = clock.GetTimestamp();
        lock (_gate)
        {
            _running.Remove(key);
            if (succeeded)
            {
                return;
            }

            if (_failedAt.Count >= FailuresKept)
            {
                foreach (var (other, at) in _failedAt)
                {
                    if (clock.GetElapsedTime(at, now) >= BackOff)
                    {
                        _failedAt.Remove(other);
                    }
                }
            }

            _failedAt[key] = now;
        }
    }
}
