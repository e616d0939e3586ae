namespace Polly.SingleFlight.Caching.RealCaches.Tests.Infrastructure;

/// <summary>The data of theories over caches.</summary>
public static class Kinds
{
    public static TheoryData<CacheKind> All => [.. Enum.GetValues<CacheKind>()];

    /// <summary>Those that are used as a hybrid cache.</summary>
    public static TheoryData<CacheKind> AllHybrid => [CacheKind.Hybrid, CacheKind.HybridRedis, CacheKind.Fusion, CacheKind.FusionRedis];

    /// <summary>Those with a distributed cache, which several nodes share.</summary>
    public static TheoryData<CacheKind> Distributed => [CacheKind.HybridRedis, CacheKind.FusionRedis];
}
