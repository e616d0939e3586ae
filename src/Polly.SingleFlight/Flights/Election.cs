namespace Polly.SingleFlight.Flights;

/// <summary>The outcome of an election, to be carried out outside the lock.</summary>
/// <param name="Leader">The claimed waiter that leads the successor, which is its flight.</param>
/// <param name="Alone">A list, by <see cref="Waiter{TResult}.Next"/>, of those elected too often, who run alone if they do not leave before.</param>
internal sealed record Election<TResult>(Waiter<TResult>? Leader, Waiter<TResult>? Alone);

/// <inheritdoc cref="Election{TResult}"/>
internal static class ElectionExtensions
{
    /// <summary>Carries an election out; null where there is none.</summary>
    public static void Act<TResult>(this Election<TResult>? election)
    {
        if (election is not null)
        {
            Carry(election);
        }
    }

    private static void Carry<TResult>(Election<TResult> election)
    {
        election.Leader?.RequestRun();
        for (var waiter = election.Alone; waiter is not null;)
        {
            var next = waiter.Next;
            waiter.Next = null;
            waiter.RequestRun();
            waiter = next;
        }
    }
}
