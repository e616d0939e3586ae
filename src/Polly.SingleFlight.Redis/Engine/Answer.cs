using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>What Redis has answered.</summary>
/// <param name="Result">The answer; null if there is none.</param>
/// <param name="At">When it came, as a timestamp of the system's clock.</param>
/// <param name="IsLate">Whether it took much longer than others, so that a time in it says little of now.</param>
internal readonly record struct Answer(RedisResult? Result, long At, bool IsLate);
