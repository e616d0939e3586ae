using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>The answer of <see cref="Scripts.End"/>.</summary>
/// <param name="Waiting">How many nodes have waited for the outcome. None if the flight was lost.</param>
/// <param name="Inboxes">Their inboxes, if no outcome was passed.</param>
internal readonly record struct EndReply(int Waiting, RedisValue[] Inboxes)
{
    /// <summary>Reads an answer; null if it is none.</summary>
    public static EndReply? Read(Answer answer) =>
        answer.Result is { Resp2Type: ResultType.Array } result && (RedisValue[]?)result is [var count, .. var inboxes] && count.TryParse(out int waiting)
            ? new EndReply(waiting, inboxes)
            : null;
}
