namespace Polly.SingleFlight.Redis.Engine;

/// <summary>
/// How often those who wait on a node look by themselves, in case that a message was lost: each once a second, as long as they are not so many that their looks would keep Redis from
/// everything else. Beyond that number they share that many looks a second, but each looks every four seconds.
/// </summary>
internal sealed class Looks
{
    /// <summary>How many looks a second those who wait share, besides those at the end of a lease.</summary>
    public const int MostPerSecond = 500;

    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    /// <summary>Shorter than an outcome is kept, so that one whose message was lost is found.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(4);

    private int _waiting;

    /// <summary>The time from one look to the next.</summary>
    public TimeSpan Interval
    {
        get
        {
            var shared = s_second * Math.Max(1, Volatile.Read(ref _waiting) / (double)MostPerSecond);
            return shared < s_longest ? shared : s_longest;
        }
    }

    public void Begin() => Interlocked.Increment(ref _waiting);

    public void End() => Interlocked.Decrement(ref _waiting);
}
