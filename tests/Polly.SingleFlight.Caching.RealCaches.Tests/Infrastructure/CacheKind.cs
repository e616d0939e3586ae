namespace Polly.SingleFlight.Caching.RealCaches.Tests.Infrastructure;

/// <summary>The caches that people run.</summary>
public enum CacheKind
{
    /// <summary>Microsoft's memory cache.</summary>
    Memory,

    /// <summary>Microsoft's hybrid cache without a distributed cache behind it.</summary>
    Hybrid,

    /// <summary>Microsoft's hybrid cache over Redis.</summary>
    HybridRedis,

    /// <summary>FusionCache as a hybrid cache.</summary>
    Fusion,

    /// <summary>FusionCache as a hybrid cache, with fail-safe, System.Text.Json, Redis and a backplane.</summary>
    FusionRedis,
}
