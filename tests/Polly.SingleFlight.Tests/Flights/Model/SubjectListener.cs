using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>Records what flights report to those who made them.</summary>
internal sealed class SubjectListener : IFlightListener
{
    public List<(Flight Flight, ResilienceContext Leaver)> Abandoned { get; } = [];

    public void OnAbandoned(Flight flight, ResilienceContext leaver) => Abandoned.Add((flight, leaver));

    public FlightCanceledException CreateCancellation() => new();

    public bool IsLossOfLeader(Exception exception) => exception is IOException;
}
