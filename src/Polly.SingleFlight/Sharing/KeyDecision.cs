using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Sharing;

/// <summary>What a caller is coalesced by, or why it is not.</summary>
/// <param name="Key">The key; null to run alone.</param>
/// <param name="Attachment">What the caller brings along, for whoever gives it a result of its own.</param>
/// <param name="Bypass">Why it runs alone, if it does.</param>
/// <param name="IsWarning">Whether that it runs alone is to be reported as a warning.</param>
internal readonly record struct KeyDecision(object? Key, Attachment? Attachment, BypassReason Bypass, bool IsWarning)
{
    public static KeyDecision Alone(BypassReason reason, bool isWarning = false) => new(null, null, reason, isWarning);

    public static KeyDecision Coalesce(object? key, Attachment? attachment = null) => new(key, attachment, BypassReason.NoKey, IsWarning: false);
}
