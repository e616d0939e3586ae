using System.Security.Cryptography;
using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Payload;

/// <summary>The keys of one flight in Redis. All have the same part in braces, and so are in one slot of a cluster.</summary>
internal sealed class FlightName(string index, string kind)
{
    /// <summary>Stands for result type, serializer and version.</summary>
    public string Kind { get; } = kind;

    /// <summary>A hash of the flights of the key that can be joined, by kind.</summary>
    public RedisKey Index { get; } = index;

    /// <summary>Says which flight it is, in every process.</summary>
    public string Text { get; } = $"{index}:{kind}";

    /// <summary>The hash of the flight that can be joined.</summary>
    public RedisKey Flight => Text;

    /// <summary>The hash of a flight that was forgotten or is too old to be joined. The scripts spell it as well.</summary>
    public RedisKey Aside(string leader) => $"{Text}:{leader}";

    /// <summary>The outcome of a flight, for those who waited for it.</summary>
    public RedisKey Outcome(string leader) => $"{Text}:{leader}:r";

    /// <summary>A new leader's id, which no other has.</summary>
    public static string NewLeader() => Convert.ToHexString(RandomNumberGenerator.GetBytes(16)).ToLowerInvariant();
}
