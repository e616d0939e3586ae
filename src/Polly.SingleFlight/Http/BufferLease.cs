namespace Polly.SingleFlight.Http;

/// <summary>
/// Bytes of a <see cref="BufferBudget"/> that outlive the flight, because its leader has still to read them. A response that
/// nobody disposes gives them back when it is collected.
/// </summary>
internal sealed class BufferLease(BufferBudget budget, long bytes) : IDisposable
{
    private long _bytes = bytes;

    ~BufferLease() => GiveBack();

    public void Dispose()
    {
        GiveBack();
        GC.SuppressFinalize(this);
    }

    private void GiveBack() => budget.GiveBack(Interlocked.Exchange(ref _bytes, 0));
}
