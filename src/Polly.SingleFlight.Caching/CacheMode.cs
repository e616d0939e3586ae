namespace Polly.SingleFlight.Caching;

/// <summary>What one execution does with the cache.</summary>
public enum CacheMode
{
    /// <summary>Returns what the cache has, and keeps what is called for.</summary>
    Default,

    /// <summary>Calls without looking, and keeps the result. Executions in this mode coalesce, also with those that missed.</summary>
    Refresh,

    /// <summary>Neither looks nor keeps.</summary>
    Bypass,
}
