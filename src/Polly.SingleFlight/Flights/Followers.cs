namespace Polly.SingleFlight.Flights;

/// <summary>
/// Walks a ring of followers that left its flight, and takes it apart on the way, so that no caller keeps another in memory.
/// </summary>
internal struct Followers<TResult>
{
    private readonly Waiter<TResult>? _first;
    private Waiter<TResult>? _next;

    public Followers(Waiter<TResult>? first)
    {
        _first = first;
        _next = first;
    }

    public Waiter<TResult> Current { get; private set; } = null!;

    public readonly Followers<TResult> GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_next is not { } waiter)
        {
            return false;
        }

        Current = waiter;
        _next = waiter.Next == _first ? null : waiter.Next;
        waiter.Next = null;
        waiter.Previous = null;
        return true;
    }
}
