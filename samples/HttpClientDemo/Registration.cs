using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Polly;
using Polly.SingleFlight.Caching;

namespace HttpClientDemo;

/// <summary>Everything that stands between a caller and the token endpoint, from the caller's side to the network's.</summary>
internal static class Registration
{
    public static IServiceCollection AddTokenClient(this IServiceCollection services, Uri endpoint, DemoOptions options)
    {
        // 1. The cache comes first: a hit ends here. It is one pipeline for all callers, hence a singleton.
        services.AddMemoryCache();
        services.AddSingleton<DemoClock>();
        services.AddSingleton(provider => !options.HasCache
            ? ResiliencePipeline<AccessToken>.Empty
            : new ResiliencePipelineBuilder<AccessToken> { TimeProvider = provider.GetRequiredService<DemoClock>() }
                .AddCache(provider.GetRequiredService<IMemoryCache>(), new CacheStrategyOptions<AccessToken>
                {
                    // A token is kept for as long as its issuer says, less a margin, and refreshed ahead of that.
                    LifetimeGenerator = static args => new(CacheLifetime.FromExpiresIn(args.Result.ExpiresIn, args.Elapsed)),
                })

                // 2. Callers who find no token share one call, and what it brings is in the cache before any of them has it.
                .AddSingleFlight()
                .Build());

        var client = services.AddHttpClient<TokenClient>(http =>
        {
            http.BaseAddress = endpoint;

            // Each attempt has a timeout, see 5; a second clock around them all would only blur which of the two ended a call.
            http.Timeout = Timeout.InfiniteTimeSpan;
        });

        // 3. Single flight of the client, for requests that reach it without the cache: equal ones become one. A token request is a POST,
        // and its answer says no-store, so sharing it is a choice that this line makes. Handlers that add an identity go before it.
        if (options.HasSingleFlight)
        {
            client.AddSingleFlight(singleFlight => singleFlight.UseTokenEndpoint());
        }

        client.AddResilienceHandler("resilience", pipeline => pipeline

            // 4. Retry stands inside single flight: one loop for all callers. The options know which failures of HTTP may pass.
            .AddRetry(new HttpRetryStrategyOptions { Delay = options.Scale(TimeSpan.FromMilliseconds(200)) })

            // 5. Timeout stands inside retry, so it ends an attempt and leaves time for the next.
            .AddTimeout(options.AttemptTimeout));

        // The endpoint is on loopback, where a proxy from the environment would not find it.
        client.UseSocketsHttpHandler(static (handler, _) => handler.UseProxy = false);
        return services;
    }
}
