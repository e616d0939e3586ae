using Microsoft.Extensions.Caching.Memory;
using Polly;
using Polly.SingleFlight.Caching;

namespace HttpClientDemo;

/// <summary>Registers the cache in front of <see cref="TokenClient"/>.</summary>
internal static class TokenCacheRegistration
{
    public static IServiceCollection AddTokenCache(this IServiceCollection services) => services
        .AddMemoryCache()
        .AddSingleton<DemoClock>()
        .AddSingleton<Refreshes>()
        .AddSingleton(static services => CreatePipeline(
            services.GetRequiredService<IMemoryCache>(),
            services.GetRequiredService<Refreshes>(),
            services.GetRequiredService<DemoClock>()))
        .AddTransient<ITokenSource, CachedTokenClient>();

    /// <summary>
    /// Single flight follows the cache: the callers that find no token share one call, and what it brings is in the cache before
    /// any of them has it.
    /// </summary>
    private static ResiliencePipeline<AccessToken> CreatePipeline(IMemoryCache cache, Refreshes refreshes, TimeProvider clock) =>
        new ResiliencePipelineBuilder<AccessToken> { Name = "tokens", TimeProvider = clock }
            .AddCache(cache, new CacheStrategyOptions<AccessToken>
            {
                // A token that does not say how long it is valid is not cached.
                LifetimeGenerator = static args => new(CacheLifetime.FromExpiresIn(args.Result.ExpiresIn ?? TimeSpan.Zero, args.Elapsed)),
                OnRefresh = args =>
                {
                    refreshes.Add(args.Outcome.Exception);
                    return default;
                },
            })
            .AddSingleFlight()
            .Build();
}
