namespace Polly.SingleFlight.Redis.Payload;

/// <summary>How long ago the call for a result began and ended, and how much of its lifetime is left if that is known. Spans, since clocks of machines differ.</summary>
internal readonly record struct ResultAges(TimeSpan SinceStart, TimeSpan SinceEnd, TimeSpan? UntilExpiry)
{
    public static ResultAges Of(IResultOrigin origin, DateTimeOffset now) => new(now - origin.StartedAt, now - origin.EndedAt, origin.ExpiresAt - now);

    public ResultOrigin ToOrigin(DateTimeOffset now) => new(Back(now, SinceStart), Back(now, SinceEnd), UntilExpiry is { } left ? Back(now, -left) : null);

    private static DateTimeOffset Back(DateTimeOffset now, TimeSpan span) =>
        span > now - DateTimeOffset.MinValue ? DateTimeOffset.MinValue
        : -span > DateTimeOffset.MaxValue - now ? DateTimeOffset.MaxValue
        : now - span;
}
