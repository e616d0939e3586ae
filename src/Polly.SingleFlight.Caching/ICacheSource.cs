namespace Polly.SingleFlight.Caching;

/// <summary>Where a result came from, kept in its caller's context so that callers who never ask do not pay for a <see cref="CacheResult"/>.</summary>
internal interface ICacheSource : IResultOrigin
{
    /// <summary>The result, for the caller with this context; null while nothing is known.</summary>
    CacheResult? ToResult(ResilienceContext context);
}
