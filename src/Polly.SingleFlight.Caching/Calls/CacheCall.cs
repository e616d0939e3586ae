namespace Polly.SingleFlight.Caching.Calls;

/// <summary>One execution that the cache could not answer: what does not depend on types.</summary>
internal abstract class CacheCall(object identity) : FlightInterceptor(identity), ICacheSource
{
    private volatile CacheResult? _result;

    /// <summary>When the call began, by the clock of the pipeline.</summary>
    public DateTimeOffset StartedAt { get; protected init; }

    /// <summary>Whether the result is in the cache, kept by this call or found inside the flight.</summary>
    public bool HasEntry => _result is not null;

    /// <summary>What became of the result, once that is known. Written by the call.</summary>
    protected CacheResult? Result
    {
        get => _result;
        set => _result = value;
    }

    DateTimeOffset IResultOrigin.StartedAt => _result?.StartedAt ?? StartedAt;

    DateTimeOffset IResultOrigin.EndedAt => _result?.StoredAt ?? StartedAt;

    DateTimeOffset? IResultOrigin.ExpiresAt => _result?.ExpiresAt;

    /// <summary>What became of the result: for a caller that followed, of its leader's.</summary>
    public CacheResult? ToResult(ResilienceContext context) =>
        _result ?? (context.FindFlightInterceptor(Identity) as CacheCall)?._result ?? Unstored(context);

    private CacheResult? Unstored(ResilienceContext context) => context.GetFlightInterceptor() == this
        ? null
        : new CacheResult(isHit: false, isStale: false, id: 0, StartedAt, storedAt: null, expiresAt: null, refreshAt: null);
}
