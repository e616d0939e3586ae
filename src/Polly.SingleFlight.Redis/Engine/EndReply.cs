using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>The answer of <see cref="Scripts.End"/>.</summary>
/// <param name="Waiting">How many nodes wait for the outcome. None if the flight was lost.</param>
/// <param name="Registrations">Their inboxes, each followed by the time of its registration, if no outcome was passed.</param>
internal readonly record struct EndReply(int Waiting, RedisValue[] Registrations)
{
    /// <summary>Reads an answer; null if it is none.</summary>
    public static EndReply? Read(Answer answer) =>
        answer.Result is { Resp2Type: ResultType.Array } result
        && (RedisValue[]?)result is [var count, .. var registrations]
        && count.TryParse(out int waiting)
        && registrations.Length % 2 == 0
            ? new EndReply(waiting, registrations)
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
