namespace Polly.SingleFlight.Flights;

/// <summary>Deals with what happens to flights and is the business of those who made them. Does not throw.</summary>
internal interface IFlightListener
{
    /// <summary>The last caller has left.</summary>
    /// <param name="flight">The flight.</param>
    /// <param name="leaver">The context of that caller, which has not returned yet.</param>
    void OnAbandoned(Flight flight, ResilienceContext leaver);

    /// <summary>What the callers of a cancelled flight get.</summary>
    FlightCanceledException CreateCancellation();

    /// <summary>Whether an exception comes from something that its leader took away when it left.</summary>
    bool IsLossOfLeader(Exception exception);
}
