using System.Collections.Concurrent;

namespace Polly.SingleFlight.Redis.Strategy;

/// <summary>The flights whose result was not shared a moment ago, so that nobody waits for the next in vain.</summary>
internal sealed class UnsharedMemory(TimeProvider clock)
{
    private const int Most = 10_000;

    public static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, long> _since = new();

    public bool Contains(string flight)
    {
        if (!_since.TryGetValue(flight, out var since))
        {
            return false;
        }

        if (clock.GetElapsedTime(since) < Duration)
        {
            return true;
        }

        _since.TryRemove(new(flight, since));
        return false;
    }

    public void Add(string flight)
    {
        if (_since.Count >= Most)
        {
            Prune();
        }

        _since[flight] = clock.GetTimestamp();
    }

    private void Prune()
    {
        foreach (var entry in _since)
        {
            if (clock.GetElapsedTime(entry.Value) >= Duration)
            {
                _since.TryRemove(entry);
            }
        }

        if (_since.Count >= Most)
        {
            // The memory only spares waits, so that it may be lost.
            _since.Clear();
        }
    }
}
