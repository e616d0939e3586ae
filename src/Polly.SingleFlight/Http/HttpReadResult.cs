namespace Polly.SingleFlight.Http;

/// <summary>The copy of a request that may be coalesced, or the reason why it may not.</summary>
/// <param name="Call">The copy; null if the request runs alone.</param>
/// <param name="Bypass">The reason; used without a copy only.</param>
internal readonly record struct HttpReadResult(HttpCall? Call, BypassReason Bypass);
