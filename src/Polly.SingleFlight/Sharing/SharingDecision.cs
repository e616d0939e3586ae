namespace Polly.SingleFlight.Sharing;

/// <summary>What the followers of a landed flight get.</summary>
internal enum SharingKind
{
    /// <summary>All get the leader's outcome itself.</summary>
    Same,

    /// <summary>Each gets a copy of the leader's result.</summary>
    Copies,

    /// <summary>Each runs its own callback.</summary>
    Alone,

    /// <summary>They elect a new leader.</summary>
    Elect,
}

/// <summary>The answer of <see cref="ResultSharing.DecideAsync"/> for all followers of one flight.</summary>
/// <param name="Kind">What they get.</param>
/// <param name="Bypass">The reason that is reported for each of them; used with <see cref="SharingKind.Alone"/> only.</param>
internal readonly record struct SharingDecision(SharingKind Kind, BypassReason Bypass = BypassReason.Unshared)
{
    public static SharingDecision Alone(BypassReason reason) => new(SharingKind.Alone, reason);
}
