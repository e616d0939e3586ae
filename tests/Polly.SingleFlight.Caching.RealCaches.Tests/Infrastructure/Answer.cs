namespace Polly.SingleFlight.Caching.RealCaches.Tests.Infrastructure;

/// <summary>What a caller got, and what the cache had to do with it.</summary>
internal sealed record Answer<T>(T Value, CacheResult? Cache, SingleFlightResult? Flight);
