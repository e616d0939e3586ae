namespace Polly.SingleFlight.Soak;

/// <summary>When something was last done to a key, for callers who want to know whether it can have concerned them.</summary>
internal sealed class Occurrence
{
    private long _lastEnd;
    private int _inProgress;

    public void Begin() => Interlocked.Increment(ref _inProgress);

    public void End(long now)
    {
        Atomic.Max(ref _lastEnd, now);
        Interlocked.Decrement(ref _inProgress);
    }

    /// <summary>Whether it is being done, or was being done at some moment since then.</summary>
    public bool HappenedSince(long sequence) => Volatile.Read(ref _inProgress) > 0 || Volatile.Read(ref _lastEnd) > sequence;
}
