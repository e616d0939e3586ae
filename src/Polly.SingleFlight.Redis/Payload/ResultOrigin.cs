namespace Polly.SingleFlight.Redis.Payload;

/// <summary>How old a result is that was handed over, for a cache further out.</summary>
internal sealed record ResultOrigin(DateTimeOffset StartedAt, DateTimeOffset EndedAt, DateTimeOffset? ExpiresAt) : IResultOrigin;
