namespace Polly.SingleFlight.Caching.RealCaches.Tests.Infrastructure;

/// <summary>How a flight loses its key.</summary>
public enum Loss
{
    Forget,
    ForgetAll,
    Cancel,
    MaxJoinAge,
    HandOver,
    Abandoned,
    Evict,
    EvictAll,
}
