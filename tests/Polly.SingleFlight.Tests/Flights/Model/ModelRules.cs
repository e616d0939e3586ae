namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>The rules that a caller comes with. Rules of equal realms share flights.</summary>
internal sealed record ModelRules(LeaderDeparture Departure, bool CancelWhenAbandoned, int MaxElections, int? Realm);
