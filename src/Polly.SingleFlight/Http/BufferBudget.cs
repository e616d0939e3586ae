namespace Polly.SingleFlight.Http;

/// <summary>Limits how many bytes all flights of a strategy together hold while they read bodies.</summary>
internal sealed class BufferBudget(long limit)
{
    /// <summary>Written with <see cref="Interlocked"/>, without a lock.</summary>
    private long _used;

    /// <summary>Takes up to the wanted number of bytes. Returns the number taken, 0 if none is left.</summary>
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
