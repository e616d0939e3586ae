namespace Polly.SingleFlight.Redis.Engine;

/// <summary>What a caller asks for.</summary>
/// <param name="Id">The id to lead with.</param>
/// <param name="Lease">The lease of a leader.</param>
/// <param name="MaxJoinAge">How old a flight may be that the caller joins.</param>
/// <param name="Timeout">How long to wait for the answer.</param>
/// <param name="Followed">The id of the leader that was followed, or an empty string.</param>
/// <param name="MayJoinAnother">Whether another flight may be led or followed than that.</param>
internal readonly record struct AcquireRequest(string Id, TimeSpan Lease, TimeSpan MaxJoinAge, TimeSpan Timeout, string Followed, bool MayJoinAnother);
