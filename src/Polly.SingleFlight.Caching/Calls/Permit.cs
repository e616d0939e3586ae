namespace Polly.SingleFlight.Caching.Calls;

/// <summary>The right of one call to store its result. Lost when the entry is evicted, or when its flight loses its key.</summary>
internal sealed class Permit(KeyCalls calls) : IDisposable
{
    private volatile bool _isRevoked;
    private InterceptedFlight? _flight;
    private int _users = 1;

    public KeyCalls Calls { get; } = calls;

    /// <summary>The number of the entry that is being stored; 0 before. Written by the call, read by those who look the entry up.</summary>
    public long EntryId { get; set; }

    public bool IsValid => !_isRevoked && Volatile.Read(ref _flight)?.HoldsKey != false;

    /// <summary>The call is that of a flight, which may lose its key.</summary>
    public void SetFlight(InterceptedFlight flight)
    {
        // A full fence, as in Revoke, so that one of the two sees the other.
        Interlocked.Exchange(ref _flight, flight);
        if (_isRevoked)
        {
            flight.Forget();
        }
    }

    /// <summary>Takes the right, and has newcomers start afresh.</summary>
    public void Revoke()
    {
        _isRevoked = true;
        Interlocked.MemoryBarrier();
        Volatile.Read(ref _flight)?.Forget();
    }

    /// <summary>Keeps the permit for a store that may end after the call.</summary>
    public void Share() => Interlocked.Increment(ref _users);

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            Calls.Ledger.End(this);
        }
    }
}
