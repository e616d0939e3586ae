namespace Polly.SingleFlight.Http;

/// <summary>A request that may be coalesced, or why it may not.</summary>
internal readonly record struct HttpReadResult(HttpCall? Call, BypassReason Bypass);
