namespace Polly.SingleFlight.Soak;

internal static class Atomic
{
    public static long Max(ref long location, long value)
    {
        for (var seen = Volatile.Read(ref location); ;)
        {
            if (seen >= value)
            {
                return seen;
            }

            var before = Interlocked.CompareExchange(ref location, value, seen);
            if (before == seen)
            {
                return value;
            }

            seen = before;
        }
    }

    /// <summary>The minimum, where zero stands for none yet.</summary>
    public static long Min(ref long location, long value)
    {
        for (var seen = Volatile.Read(ref location); ;)
        {
            if (seen != 0 && seen <= value)
            {
                return seen;
            }

            var before = Interlocked.CompareExchange(ref location, value, seen);
            if (before == seen)
            {
                return value;
            }

            seen = before;
        }
    }
}
