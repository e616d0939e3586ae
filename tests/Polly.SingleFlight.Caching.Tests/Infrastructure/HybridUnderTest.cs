using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using ZiggyCreatures.Caching.Fusion;
using ZiggyCreatures.Caching.Fusion.MicrosoftHybridCache;
using ZiggyCreatures.Caching.Fusion.Serialization.SystemTextJson;

namespace Polly.SingleFlight.Caching.Tests.Infrastructure;

/// <summary>A hybrid cache as applications have it, over a distributed cache of the test if its kind has one.</summary>
internal sealed class HybridUnderTest : IDisposable
{
    private readonly ServiceProvider? _services;
    private readonly FusionCache? _fusion;

    public HybridUnderTest(CacheKind kind, TimeProvider clock, DistributedBytes distributed)
    {
        if (kind is CacheKind.HybridL1 or CacheKind.HybridL2)
        {
            _services = Services(clock, kind == CacheKind.HybridL2 ? distributed : null);
            Cache = _services.GetRequiredService<HybridCache>();
        }
        else
        {
            _fusion = Fusion(kind == CacheKind.FusionL2 ? distributed : null);
            Cache = new FusionHybridCache(_fusion);
        }
    }

    public HybridCache Cache { get; }

    public void Dispose()
    {
        _services?.Dispose();
        _fusion?.Dispose();
    }

    private static ServiceProvider Services(TimeProvider clock, DistributedBytes? distributed)
    {
        var services = new ServiceCollection();
        services.AddSingleton(clock);
        services.AddSingleton<IMemoryCache>(_ => new MemoryCache(new MemoryCacheOptions { Clock = new CacheClock(clock) }));
        if (distributed is not null)
        {
            services.AddSingleton<IDistributedCache>(distributed);
        }

        services.AddHybridCache();
        services.AddSingleFlightCacheSerializers();
        return services.BuildServiceProvider();
    }

    /// <summary>Its times are those of the machine, since it takes no clock: entries outlive what the test's clock says.</summary>
    private static FusionCache Fusion(DistributedBytes? distributed)
    {
        var cache = new FusionCache(new FusionCacheOptions { DefaultEntryOptions = new FusionCacheEntryOptions { IsFailSafeEnabled = distributed is not null } });
        if (distributed is not null)
        {
            cache.SetupDistributedCache(distributed, new FusionCacheSystemTextJsonSerializer());
        }

        return cache;
    }
}
