using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>
/// The clock of flights. An exact time of the system costs as much as a lock, and mostly nobody ever looks at one: until somebody does, the
/// system's coarse time is taken, which is off by up to 16 ms. A clock of the user's own is always asked.
/// </summary>
internal sealed class FlightClock(TimeProvider provider)
{
    private static readonly long s_unitsPerMillisecond = Stopwatch.Frequency / 1000;

    /// <summary>What the coarse time is to be moved by to be in step with the exact one.</summary>
    private static readonly long s_offset = Stopwatch.GetTimestamp() - (Environment.TickCount64 * s_unitsPerMillisecond);

    private static volatile bool s_isExactWanted;

    private readonly bool _mayBeCoarse = ReferenceEquals(provider, TimeProvider.System) && Stopwatch.Frequency % 1000 == 0;

    public TimeProvider Provider => provider;

    /// <summary>The time, in units of the provider. Times of two clocks can be compared if their providers are the same.</summary>
    public long Now => _mayBeCoarse && !s_isExactWanted ? (Environment.TickCount64 * s_unitsPerMillisecond) + s_offset : provider.GetTimestamp();

    /// <summary>Called when somebody looks at a time: from now on all times are exact.</summary>
    public static void RequireExact()
    {
        if (!s_isExactWanted)
        {
            s_isExactWanted = true;
        }
    }

    /// <summary>The time between two, not negative where one of them was coarse.</summary>
    public TimeSpan Elapsed(long start, long end) => end <= start || start == Flight.NotStarted ? TimeSpan.Zero : provider.GetElapsedTime(start, end);
}
