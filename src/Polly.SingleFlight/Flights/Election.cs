namespace Polly.SingleFlight.Flights;

/// <summary>The outcome of an election, to be carried out outside the lock.</summary>
/// <param name="Leader">The claimed waiter that leads the successor, which is its flight.</param>
/// <param name="Alone">A list, by <see cref="Waiter{TResult}.Next"/>, of those elected too often, who run alone if they do not leave before.</param>
internal readonly record struct Election<TResult>(Waiter<TResult>? Leader, Waiter<TResult>? Alone)
{
    public bool IsNone => Leader is null && Alone is null;

    public void Act()
    {
        Leader?.RequestRun();
        for (var waiter = Alone; waiter is not null;)
        {
            var next = waiter.Next;
            waiter.Next = null;
            waiter.RequestRun();
            waiter = next;
        }
    }
}
