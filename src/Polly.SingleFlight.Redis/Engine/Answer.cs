using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>What Redis has answered.</summary>
/// <param name="Result">The answer; null if there is none.</param>
/// <param name="SentAt">When the command was sent, as a timestamp of the system's clock.</param>
/// <param name="At">When it came, as a timestamp of the system's clock.</param>
/// <param name="Delay">How long it may have been on its way back beyond what is usual.</param>
internal readonly record struct Answer(RedisResult? Result, long SentAt, long At, TimeSpan Delay)
{
    /// <summary>Whether there is no answer because it did not come in time.</summary>
    public bool IsLate { get; init; }

    /// <summary>Whether there is no answer, and the command may be carried out all the same: not if it was never sent, or refused.</summary>
    public bool MayBeHeard { get; init; }
}
