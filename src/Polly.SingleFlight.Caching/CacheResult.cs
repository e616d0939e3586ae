namespace Polly.SingleFlight.Caching;

/// <summary>
/// What the cache had to do with an execution. Read it from the caller's own context with
/// <see cref="CacheResilienceContextExtensions.GetCacheResult"/>.
/// </summary>
public sealed class CacheResult : ICacheSource
{
    internal CacheResult(
        bool isHit, bool isStale, long id, DateTimeOffset startedAt, DateTimeOffset? storedAt, DateTimeOffset? expiresAt, DateTimeOffset? refreshAt)
    {
        IsHit = isHit;
        IsStale = isStale;
        Id = id;
        StartedAt = startedAt;
        StoredAt = storedAt;
        ExpiresAt = expiresAt;
        RefreshAt = refreshAt;
    }

    /// <summary>Gets a value indicating whether the result came from the cache, fresh or stale.</summary>
    public bool IsHit { get; }

    /// <summary>Gets a value indicating whether the lifetime of the result was over, and it was returned because the call failed.</summary>
    public bool IsStale { get; }

    /// <summary>Gets when the call for the result began.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>Gets when the result was stored, or <see langword="null"/> if it is in no cache.</summary>
    public DateTimeOffset? StoredAt { get; }

    /// <summary>Gets when the lifetime of the result is over, or <see langword="null"/> if it is in no cache.</summary>
    public DateTimeOffset? ExpiresAt { get; }

    /// <summary>Gets from when on a hit has the result refreshed, or <see langword="null"/> for never.</summary>
    public DateTimeOffset? RefreshAt { get; }

    DateTimeOffset IResultOrigin.EndedAt => StoredAt ?? StartedAt;

    /// <summary>The number of the entry; 0 if there is none.</summary>
    internal long Id { get; }

    CacheResult? ICacheSource.ToResult(ResilienceContext context) => this;
}
