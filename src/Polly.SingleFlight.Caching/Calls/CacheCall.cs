namespace Polly.SingleFlight.Caching.Calls;

/// <summary>One execution that the cache could not answer: what does not depend on types.</summary>
internal abstract class CacheCall(object identity) : FlightInterceptor(identity), ICacheSource
{
    private volatile CacheResult? _result;
    private volatile bool _hasFailed;
    private volatile bool _hasFlightFailed;
    private volatile bool _hasOutcome;
    private volatile bool _isEnded;

    /// <summary>When the call began, by the clock of the pipeline.</summary>
    public DateTimeOffset StartedAt { get; protected init; }

    /// <summary>Whether the result is in the cache, kept by this call or found inside the flight.</summary>
    public bool HasEntry => _result is not null;

    /// <summary>Whether strategies further inside run for it. Not while its caller follows.</summary>
    public bool IsRunning
    {
        get => !_isEnded;
        protected set => _isEnded = !value;
    }

    /// <summary>Whether the last execution inside has ended in an exception, which its followers got as well.</summary>
    protected bool HasFlightFailed
    {
        get => _hasFlightFailed;
        set => _hasFlightFailed = value;
    }

    /// <summary>What became of the result, once that is known. Written by the call.</summary>
    protected CacheResult? Result
    {
        get => _result;
        set => _result = value;
    }

    DateTimeOffset IResultOrigin.StartedAt => _result?.StartedAt ?? StartedAt;

    DateTimeOffset IResultOrigin.EndedAt => _result?.StoredAt ?? StartedAt;

    DateTimeOffset? IResultOrigin.ExpiresAt => _result?.ExpiresAt;

    /// <summary>Notes how the call has ended for its own caller, who may have left a flight that succeeds.</summary>
    protected void SetOutcome(bool hasFailed)
    {
        _hasFailed = hasFailed;
        _hasOutcome = true;
        if (!hasFailed)
        {
            _hasFlightFailed = false;
        }
    }

    /// <summary>What became of the result: for a caller that followed, of its leader's.</summary>
    public CacheResult? ToResult(ResilienceContext context)
    {
        if (_hasOutcome ? _hasFailed : _hasFlightFailed)
        {
            return null;
        }

        if (_result is { } own)
        {
            return own;
        }

        var leader = context.FindFlightInterceptor(Identity) as CacheCall;
        return leader is { _hasFlightFailed: true } ? null : leader?._result ?? Unstored(context);
    }

    /// <summary>Null while the execution goes on, in which case its caller has the interceptor, or waits.</summary>
    private CacheResult? Unstored(ResilienceContext context) => context.GetFlightInterceptor() == this
        || context.IsInFlight()
        ? null
        : new CacheResult(isHit: false, isStale: false, id: 0, StartedAt, storedAt: null, expiresAt: null, refreshAt: null);
}
