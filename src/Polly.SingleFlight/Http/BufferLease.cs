namespace Polly.SingleFlight.Http;

/// <summary>
/// Holds bytes of a <see cref="BufferBudget"/> after the end of the flight, until its leader has read them. The finalizer gives them back if
/// the response is not disposed.
/// </summary>
internal sealed class BufferLease(BufferBudget budget, long bytes) : IDisposable
{
    /// <summary>0 after the bytes were given back. Written with <see cref="Interlocked"/>.</summary>
    private long _bytes = bytes;

    ~BufferLease() => GiveBack();

    public void Dispose()
    {
        GiveBack();
        GC.SuppressFinalize(this);
    }

    private void GiveBack() => budget.GiveBack(Interlocked.Exchange(ref _bytes, 0));
}
