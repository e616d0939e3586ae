namespace Polly.SingleFlight.WireMock;

/// <summary>The server cannot be started: something is missing on this machine, or it ended at once. The message says which.</summary>
public sealed class WireMockUnavailableException(string message) : Exception(message);
