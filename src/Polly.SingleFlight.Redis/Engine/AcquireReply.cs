using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>What became of a caller that asked to lead or to follow.</summary>
internal enum AcquireKind
{
    /// <summary>Redis did not answer, or not as it should.</summary>
    Unavailable,

    /// <summary>Redis did not answer in time.</summary>
    Late,

    /// <summary>The caller leads.</summary>
    Led,

    /// <summary>The caller is registered with a flight.</summary>
    Follows,

    /// <summary>The flight that the caller followed has ended, and here is its outcome.</summary>
    Outcome,

    /// <summary>The flight that the caller followed is lost, and it was not to join another.</summary>
    None,
}

/// <summary>The answer of <see cref="Scripts.Acquire"/>.</summary>
/// <param name="Kind">What became of the caller.</param>
/// <param name="Leader">The id of the flight's leader.</param>
/// <param name="ServerTime">When, in microseconds of the server's clock.</param>
/// <param name="Left">How long the lease, or the outcome, lasts.</param>
/// <param name="Outcome">The outcome.</param>
internal readonly record struct AcquireReply(AcquireKind Kind, string Leader, long ServerTime, TimeSpan Left, byte[]? Outcome)
{
    /// <summary>When the command was sent, as a timestamp of the system's clock.</summary>
    public long SentAt { get; init; }

    /// <summary>When the answer came, as a timestamp of the system's clock.</summary>
    public long At { get; init; }

    /// <summary>How long the answer may have been on its way back beyond what is usual.</summary>
    public TimeSpan Delay { get; init; }

    public static AcquireReply Unavailable => default;

    /// <summary>Reads an answer. What is not one counts as none.</summary>
    public static AcquireReply Read(Answer answer, string ownId)
    {
        if (answer.Result is not { Resp2Type: ResultType.Array } || (RedisValue[]?)answer.Result is not { Length: > 0 } values)
        {
            return answer.IsLate ? new(AcquireKind.Late, "", 0, default, null) : Unavailable;
        }

        try
        {
            return ((string?)values[0], values.Length) switch
            {
                ("L", 2) => new(AcquireKind.Led, ownId, (long)values[1], default, null) { SentAt = answer.SentAt, At = answer.At, Delay = answer.Delay },
                ("F", 4) => new(AcquireKind.Follows, (string)values[1]!, (long)values[3], Milliseconds(values[2]), null) { SentAt = answer.SentAt, At = answer.At },
                ("O", 4) => new(AcquireKind.Outcome, "", (long)values[3], Milliseconds(values[2]), (byte[]?)values[1]) { SentAt = answer.SentAt, At = answer.At },
                ("N", 1) => new(AcquireKind.None, "", 0, default, null),
                _ => Unavailable,
            };
        }
        catch (Exception exception) when (exception is InvalidCastException or FormatException or OverflowException)
        {
            return Unavailable;
        }
    }

    private static TimeSpan Milliseconds(RedisValue text) => TimeSpan.FromMilliseconds((double)text);
}
