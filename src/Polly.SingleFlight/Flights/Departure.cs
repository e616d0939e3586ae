namespace Polly.SingleFlight.Flights;

/// <summary>What a caller's leaving brings about, to be done outside the lock.</summary>
/// <param name="Abandoned">The flight whose last caller this was.</param>
/// <param name="Election">Who goes on instead of a leader that handed over.</param>
/// <param name="HandedOver">The flight that a leader handed over.</param>
internal readonly record struct Departure<TResult>(Flight<TResult>? Abandoned, Flight<TResult>? HandedOver, Election<TResult>? Election)
{
    /// <param name="leaver">The context of the caller that left, unless it cannot be used yet because its callback runs synchronously.</param>
    public void Act(ResilienceContext? leaver)
    {
        if (Abandoned is { } flight)
        {
            if (leaver is not null)
            {
                flight.Rules.Listener.OnAbandoned(flight, leaver);
            }

            if (flight.Rules.CancelWhenAbandoned)
            {
                flight.CancelOffStack();
            }
        }
        else if (HandedOver is not null)
        {
            HandedOver.CancelOffStack();
            Election.Act();
        }
    }
}
