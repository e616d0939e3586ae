using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Sharing;

/// <summary>What a caller is coalesced by, or why it is not.</summary>
/// <param name="Key">The key; null to run alone.</param>
/// <param name="Attachment">What the caller brings along, for whoever gives it a result of its own.</param>
/// <param name="Bypass">Why it runs alone, if it does.</param>
/// <param name="Afterwards">What is to be done when it has run alone. Must not throw.</param>
internal readonly record struct KeyDecision(object? Key, Attachment? Attachment, BypassReason Bypass, Action? Afterwards)
{
    public static KeyDecision Alone(BypassReason reason, Action? afterwards = null) => new(null, null, reason, afterwards);

    public static KeyDecision Coalesce(object? key, Attachment attachment) => new(key, attachment, BypassReason.NoKey, null);
}
