using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Polly;
using Polly.SingleFlight;
using Polly.SingleFlight.Caching;

namespace HttpClientDemo;

/// <summary>Everything that stands between a caller and the token endpoint, from the caller's side to the network's.</summary>
internal static class Registration
{
    public static IServiceCollection AddTokenClient(this IServiceCollection services, Uri endpoint, Sharing sharing, DemoOptions options)
    {
        // A group is where flights are looked at while they are in the air. Nothing else here needs one.
        var group = new SingleFlightGroup();
        services.AddSingleton(group);
        services.AddSingleton<DemoClock>();
        services.AddMemoryCache();

        // 1. The pipeline around the whole call. The cache comes first: a hit ends there. Callers who find no token share one call,
        // and what it brings is in the cache before any of them has it. All callers use this one pipeline, hence a singleton.
        services.AddSingleton(provider => sharing != Sharing.Cache
            ? ResiliencePipeline<AccessToken>.Empty
            : new ResiliencePipelineBuilder<AccessToken> { Name = "tokens", TimeProvider = provider.GetRequiredService<DemoClock>() }
                .AddCache(provider.GetRequiredService<IMemoryCache>(), new CacheStrategyOptions<AccessToken>
                {
                    // A token is kept for as long as its issuer says, less a margin, and refreshed ahead of that.
                    LifetimeGenerator = static args => new(CacheLifetime.FromExpiresIn(args.Result.ExpiresIn, args.Elapsed)),
                })
                .AddSingleFlight(new SingleFlightStrategyOptions { Group = group })
                .Build());

        // Each attempt has a timeout, see 4; a second clock around them all would only blur which of the two ended a call.
        var client = services.AddHttpClient<TokenClient>(http => (http.BaseAddress, http.Timeout) = (endpoint, Timeout.InfiniteTimeSpan));

        // 2. Or, without a cache, one line on the client: equal requests become one. A token request is a POST, and its answer says
        // no-store, so sharing it is a choice that this line makes. Handlers that add an identity go before it.
        if (sharing == Sharing.Http)
        {
            client.AddSingleFlight(singleFlight =>
            {
                singleFlight.UseTokenEndpoint();
                singleFlight.Group = group;
            });
        }

        client.AddResilienceHandler("resilience", pipeline => pipeline

            // 3. Retry stands inside single flight: one loop for all callers. The options know which failures of HTTP may pass.
            .AddRetry(new HttpRetryStrategyOptions { Delay = options.Scale(TimeSpan.FromMilliseconds(200)) })

            // 4. Timeout stands inside retry, so it ends an attempt and leaves time for the next.
            .AddTimeout(options.AttemptTimeout));

        // The endpoint is on loopback, where a proxy from the environment would not find it.
        client.UseSocketsHttpHandler(static (handler, _) => handler.UseProxy = false);
        return services;
    }
}
