namespace Polly.SingleFlight.Sharing;

/// <summary>The answer of <see cref="ResultSharing.CopyAsync"/> for one follower.</summary>
/// <param name="Result">The follower's copy.</param>
/// <param name="Alone">The reason why the follower runs its own callback instead; null when it gets the copy.</param>
internal readonly record struct FollowerCopy<TResult>(TResult? Result, BypassReason? Alone = null)
{
    public static FollowerCopy<TResult> None(BypassReason reason) => new(default, reason);
}
