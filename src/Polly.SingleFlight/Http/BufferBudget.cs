namespace Polly.SingleFlight.Http;

/// <summary>How many bytes the flights of a strategy may hold together while they read.</summary>
internal sealed class BufferBudget(long limit)
{
    private long _used;

    /// <summary>Takes as many bytes as there are, up to what is wanted; 0 when there is none.</summary>
    public int Take(int wanted)
    {
        while (true)
        {
            var used = Volatile.Read(ref _used);
            var granted = (int)Math.Clamp(limit - used, 0, wanted);
            if (granted == 0 || Interlocked.CompareExchange(ref _used, used + granted, used) == used)
            {
                return granted;
            }
        }
    }

    public void GiveBack(long bytes) => Interlocked.Add(ref _used, -bytes);
}
