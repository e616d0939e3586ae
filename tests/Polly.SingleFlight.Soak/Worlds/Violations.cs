using System.Diagnostics;

namespace Polly.SingleFlight.Soak;

/// <summary>What the oracle objected to: how often, and the first ones in words.</summary>
internal sealed class Violations
{
    private const int Kept = 40;

    private readonly object _gate = new();
    private readonly List<string> _first = [];
    private readonly Dictionary<string, int> _perRule = [];
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _count;

    public long Count => Volatile.Read(ref _count);

    public IReadOnlyList<string> First
    {
        get
        {
            lock (_gate)
            {
                return [.. _first];
            }
        }
    }

    /// <param name="rule">Which rule; at most a few of each are kept in words.</param>
    /// <param name="details">What happened.</param>
    public void Add(string rule, string details)
    {
        Interlocked.Increment(ref _count);
        lock (_gate)
        {
            var seen = _perRule.GetValueOrDefault(rule);
            _perRule[rule] = seen + 1;
            if ((seen < 3 && _first.Count < Kept) || (seen < Kept && rule.EndsWith(" hangs", StringComparison.Ordinal)))
            {
                _first.Add($"{rule}: after {Stopwatch.GetElapsedTime(_start).TotalSeconds:0.0} s: {details}");
            }
        }
    }
}
