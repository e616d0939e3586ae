namespace Polly.SingleFlight.Soak;

/// <summary>A result with an owner: received at most once, and disposed once by whoever received it, or by the library.</summary>
internal class Lease : IDisposable
{
    private const int Received = 1;
    private const int Disposed = 2;

    private readonly LeaseBook _book;
    private int _state;

    public Lease(Execution execution, bool isCopy)
    {
        Execution = execution;
        IsCopy = isCopy;
        _book = execution.Call.World.Leases;
        _book.Created();
    }

    public Execution Execution { get; }

    public bool IsCopy { get; }

    public bool IsDisposed => (Volatile.Read(ref _state) & Disposed) != 0;

    public void Receive()
    {
        var before = Interlocked.Or(ref _state, Received);
        if (before != 0)
        {
            Object((before & Disposed) != 0 ? "S10 received after it was disposed" : "S10 received twice");
        }
    }

    public void Dispose()
    {
        if ((Interlocked.Or(ref _state, Disposed) & Disposed) != 0)
        {
            Object("S10 disposed twice");
            return;
        }

        _book.Disposed();
        GC.SuppressFinalize(this);
    }

    private void Object(string rule) =>
        Execution.Call.World.Violations.Add(rule, $"{(IsCopy ? "a copy" : "the original")} of {Execution}");
}

/// <summary>The same for those that ask for asynchronous disposal.</summary>
internal sealed class AsyncLease(Execution execution, bool isCopy) : Lease(execution, isCopy), IAsyncDisposable
{
    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }
}

/// <summary>How many leases are about.</summary>
internal sealed class LeaseBook
{
    private long _open;

    public long Open => Volatile.Read(ref _open);

    public void Created() => Interlocked.Increment(ref _open);

    public void Disposed() => Interlocked.Decrement(ref _open);
}
