namespace Polly.SingleFlight.Http;

/// <summary>How many bytes the flights of a strategy may hold together while they read.</summary>
internal sealed class BufferBudget(long limit)
{
    private long _used;

    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _used, bytes) <= limit)
        {
            return true;
        }

        Interlocked.Add(ref _used, -bytes);
        return false;
    }

    public void GiveBack(long bytes) => Interlocked.Add(ref _used, -bytes);
}
