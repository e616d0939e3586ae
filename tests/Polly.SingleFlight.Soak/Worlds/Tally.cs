namespace Polly.SingleFlight.Soak;

/// <summary>The counters of one task. Callbacks may outlive their caller, so those are counted atomically.</summary>
internal sealed class Tally
{
    private long _flights;
    private long _bypassed;
    private long _elections;
    private long _running;
    private long _followers;

    public long Calls { get; set; }

    public long Followers => Volatile.Read(ref _followers);

    public long Canceled { get; set; }

    public long Flights => Volatile.Read(ref _flights);

    public long Bypassed => Volatile.Read(ref _bypassed);

    public long Elections => Volatile.Read(ref _elections);

    /// <summary>Callbacks that have begun and not ended.</summary>
    public long Running => Volatile.Read(ref _running);

    public void CallbackBegan(bool alone, bool elected)
    {
        Interlocked.Increment(ref _running);
        Interlocked.Increment(ref alone ? ref _bypassed : ref _flights);
        if (elected)
        {
            Interlocked.Increment(ref _elections);
        }
    }

    public void Follow() => Interlocked.Increment(ref _followers);

    public void CallbackEnded() => Interlocked.Decrement(ref _running);
}
