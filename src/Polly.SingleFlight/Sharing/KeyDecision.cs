using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Sharing;

/// <summary>The answer of <see cref="ResultSharing.FindKeyAsync"/>: the key of a caller, or the reason why it runs alone.</summary>
/// <param name="Key">The key; null and <c>""</c> run alone.</param>
/// <param name="Attachment">Sharing data of this caller (for HTTP its <c>HttpCall</c>); null when it has none.</param>
/// <param name="Bypass">The reason that is reported when the caller runs alone.</param>
/// <param name="IsWarning">Whether the bypass is reported as a warning.</param>
internal readonly record struct KeyDecision(object? Key, Attachment? Attachment, BypassReason Bypass, bool IsWarning)
{
    public static KeyDecision Alone(BypassReason reason, bool isWarning = false) => new(null, null, reason, isWarning);

    public static KeyDecision Coalesce(object? key, Attachment? attachment = null) => new(key, attachment, BypassReason.NoKey, IsWarning: false);
}
