namespace Polly.SingleFlight.WireMock.Tests.Infrastructure;

/// <summary>A request as it arrived at the server.</summary>
internal sealed record Arrival(string Body, string? Authorization);
