namespace Polly.SingleFlight.Caching.Tests.Infrastructure;

/// <summary>The caches that people run.</summary>
public enum CacheKind
{
    /// <summary>Microsoft's memory cache.</summary>
    Memory,

    /// <summary>Microsoft's hybrid cache in the memory of the process.</summary>
    HybridL1,

    /// <summary>Microsoft's hybrid cache over a distributed cache.</summary>
    HybridL2,

    /// <summary>FusionCache in the memory of the process, as a hybrid cache.</summary>
    Fusion,

    /// <summary>FusionCache over a distributed cache, with fail-safe, as a hybrid cache.</summary>
    FusionL2,
}
