using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>The answer of <see cref="Scripts.End"/>.</summary>
/// <param name="Waiting">How many nodes wait for the outcome. None if the flight was lost.</param>
/// <param name="EndedAt">From when on a caller may hold the outcome, in microseconds of the server's clock; 0 if the flight was lost.</param>
/// <param name="Registrations">Their inboxes, each followed by the time of its registration, if no outcome was passed.</param>
internal readonly record struct EndReply(int Waiting, long EndedAt, RedisValue[] Registrations)
{
    /// <summary>Reads an answer; null if it is none.</summary>
    public static EndReply? Read(Answer answer) =>
        answer.Result is not { Resp2Type: ResultType.Array } result || (RedisValue[]?)result is not [var count, .. var rest] || !count.TryParse(out int waiting) ? null
        : rest.Length == 0 ? new EndReply(waiting, 0, rest)
        : rest.Length % 2 == 1 && rest[0].TryParse(out long endedAt) ? new EndReply(waiting, endedAt, rest[1..])
        : null;

    /// <summary>The inboxes registered no later than the cutoff, or the others.</summary>
    public List<RedisValue> Inboxes(long cutoff, bool areLate)
    {
        var found = new List<RedisValue>();
        for (var i = 0; i < Registrations.Length; i += 2)
        {
            if (areLate == (!Registrations[i + 1].TryParse(out long at) || at > cutoff))
            {
                found.Add(Registrations[i]);
            }
        }

        return found;
    }
}
