namespace Polly.SingleFlight.WireMock.Tests.Infrastructure;

/// <summary>What one caller sent and got: a response and its body, or an exception.</summary>
internal sealed record Answer(HttpRequestMessage Request, HttpResponseMessage? Response, string? Body, Exception? Error);
