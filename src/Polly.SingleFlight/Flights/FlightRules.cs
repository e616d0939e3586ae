namespace Polly.SingleFlight.Flights;

/// <summary>What the options of a pipeline say about its flights and about the waits of its callers.</summary>
internal sealed class FlightRules
{
    public required FlightClock Clock { get; init; }

    public required LeaderDeparture LeaderDeparture { get; init; }

    public required bool CancelWhenAbandoned { get; init; }

    public required int MaxElections { get; init; }

    public required bool DetectReentrancy { get; init; }

    /// <summary>How old a flight may be to be joined, in units of the clock; <see cref="long.MaxValue"/> for any age.</summary>
    public required long MaxJoinAge { get; init; }

    /// <summary>
    /// How outcomes are given to callers, to be compared; null where there are no rules about it. Only callers with equal rules share a flight,
    /// whatever their keys.
    /// </summary>
    public required object? Realm { get; init; }

    /// <summary>Deals with what is not a flight's own business.</summary>
    public required IFlightListener Listener { get; init; }
}
