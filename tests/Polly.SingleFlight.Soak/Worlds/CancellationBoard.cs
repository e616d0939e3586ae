namespace Polly.SingleFlight.Soak;

/// <summary>Where callers leave their token sources for others to cancel at some moment.</summary>
internal sealed class CancellationBoard
{
    [ThreadStatic]
    private static int s_depth;

    private readonly CancellationTokenSource?[] _slots = new CancellationTokenSource?[32];

    /// <summary>Whether the current thread is inside the cancellation of a caller's token.</summary>
    public static bool IsCancelingHere => s_depth > 0;

    public int Publish(CancellationTokenSource source, ref Rng rng)
    {
        var slot = rng.Below(_slots.Length);
        Volatile.Write(ref _slots[slot], source);
        return slot;
    }

    /// <summary>Takes a source back; false when somebody may be about to cancel it.</summary>
    public bool TryWithdraw(int slot, CancellationTokenSource source) =>
        Interlocked.CompareExchange(ref _slots[slot], null, source) == source;

    public void Strike(World world, int slot)
    {
        if (Interlocked.Exchange(ref _slots[slot % _slots.Length], null) is { } source)
        {
            Cancel(world, source);
        }
    }

    public static void Cancel(World world, CancellationTokenSource source)
    {
        s_depth++;
        try
        {
            source.Cancel();
        }
        catch (AggregateException exception)
        {
            world.Violations.Add("S6 cancelling a caller's token threw", exception.ToString());
        }
        finally
        {
            s_depth--;
        }
    }
}
