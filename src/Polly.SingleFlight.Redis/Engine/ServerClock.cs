using System.Diagnostics;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>
/// How far the clock of a server can be ahead of this machine's. A command is heard after it was sent, so the time that its script has seen is the latest that
/// it can have been on the server when the command was sent. The command that was heard soonest says it best.
/// </summary>
internal sealed class ServerClock
{
    /// <summary>What two clocks may differ by in speed, as a divisor: 500 ppm.</summary>
    private const int Drift = 2000;

    /// <summary>After this time in microseconds a command gives way to the next, whatever that took.</summary>
    private const long Longest = 1_000_000;

    private Sample? _best;

    /// <summary>Notes a command.</summary>
    /// <param name="sentAt">When it was sent, as a timestamp of the system's clock.</param>
    /// <param name="answeredAt">When the answer came.</param>
    /// <param name="serverTime">The time that its script has seen, in microseconds.</param>
    public void Note(long sentAt, long answeredAt, long serverTime)
    {
        var at = Microseconds(sentAt);
        var offset = serverTime - at;
        var least = serverTime - Microseconds(answeredAt);

        // One that contradicts the best says that the server's clock was set, or that the server is another. Two at once may lose the better one, which costs accuracy and nothing else.
        if (Volatile.Read(ref _best) is not { } best
            || at - best.At > Longest
            || offset <= Allowed(best)
            || least > Allowed(best))
        {
            Volatile.Write(ref _best, new Sample(at, offset));
        }

        long Allowed(Sample best) => best.Offset + (Math.Abs(at - best.At) / Drift);
    }

    /// <summary>A timestamp of the system's clock at which it was not yet later on the server than the given time; the latest that is known to be one.</summary>
    public long LastBefore(long serverTime)
    {
        if (Volatile.Read(ref _best) is not { } best)
        {
            return long.MinValue + 1;
        }

        var at = serverTime - best.Offset;
        return (long)((at - (Math.Abs(at - best.At) / Drift)) * (Stopwatch.Frequency / 1_000_000.0));
    }

    /// <summary>The least that passes on a server while a time passes here, both in microseconds.</summary>
    public static long Least(long passed) => passed - (passed / Drift);

    private static long Microseconds(long timestamp) => (long)(timestamp / (Stopwatch.Frequency / 1_000_000.0));

    private sealed record Sample(long At, long Offset);
}
