using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.SingleFlight.Redis;
using StackExchange.Redis;

namespace TwoNodes;

/// <summary>Everything that stands between a caller of this node and the token endpoint.</summary>
internal static class Registration
{
    /// <summary>How long a leader is believed in that does not show itself. Shorter than the default, so that the tour is short.</summary>
    public static TimeSpan Lease { get; } = TimeSpan.FromSeconds(1);

    public static IServiceCollection AddTokenClient(this IServiceCollection services, NodeArguments arguments)
    {
        // 1. The connection to Redis, Valkey or Garnet that the service has anyway. A node starts and works without the server, too.
        var redis = ConfigurationOptions.Parse(arguments.Server);
        redis.AbortOnConnectFail = false;
        redis.ReconnectRetryPolicy = new LinearRetry(2000);
        services.AddSingleton<IConnectionMultiplexer>(_ => ConnectionMultiplexer.Connect(redis));

        // 2. The name under which the nodes of this service meet.
        services.AddRedisSingleFlight("token-service");

        // 3. Callers of one node become one caller, who asks Redis; callers of several nodes become one call.
        services.AddKeyedSingleton(Sharing.AllNodes, (provider, _) => new ResiliencePipelineBuilder<AccessToken>()
            .AddSingleFlight()
            .AddDistributedSingleFlight(provider.GetRequiredService<RedisSingleFlightGroup>(), new DistributedSingleFlightStrategyOptions<AccessToken>
            {
                Lease = Lease,

                // All nodes, the server and the endpoint share one machine here, which may be slow.
                CommandTimeout = TimeSpan.FromSeconds(2),
            })
            .Build());

        // The same without Redis, to compare with: one call for each node.
        services.AddKeyedSingleton(Sharing.OneNode, new ResiliencePipelineBuilder<AccessToken>().AddSingleFlight().Build());
        foreach (var sharing in Enum.GetValues<Sharing>())
        {
            services.AddKeyedSingleton(sharing, (provider, _) => new TokenClient(
                provider.GetRequiredService<IHttpClientFactory>(), provider.GetRequiredKeyedService<ResiliencePipeline<AccessToken>>(sharing)));
        }

        services.AddHttpClient(nameof(TokenClient), http =>
        {
            http.BaseAddress = arguments.Endpoint;
            http.DefaultRequestHeaders.UserAgent.ParseAdd(arguments.Name);
        })

            // The endpoint is on loopback, where a proxy from the environment would not find it.
            .UseSocketsHttpHandler(static (handler, _) => handler.UseProxy = false);
        return services;
    }
}
