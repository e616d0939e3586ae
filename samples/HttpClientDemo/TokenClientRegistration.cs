using System.Net;
using Polly;
using Polly.Retry;

namespace HttpClientDemo;

/// <summary>Registers <see cref="TokenClient"/> and the pipeline that its callers share.</summary>
internal static class TokenClientRegistration
{
    public static IServiceCollection AddTokenClient(this IServiceCollection services, Uri endpoint, DemoOptions options)
    {
        services.AddSingleton(CreatePipeline(options));
        services.AddHttpClient<TokenClient>(client =>
            {
                client.BaseAddress = endpoint;

                // The pipeline has a timeout for each attempt; a second clock would only blur which of them ended it.
                client.Timeout = Timeout.InfiniteTimeSpan;

                // For the demo only, do not copy: over HTTP/2 in clear text the requests of --without share connections, where
                // HTTP/1.1 would open one for each and meet the limits of this machine first.
                client.DefaultRequestVersion = HttpVersion.Version20;
                client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
            })
            .UseSocketsHttpHandler(static (handler, _) =>
            {
                handler.EnableMultipleHttp2Connections = true;

                // The endpoint is on loopback; a proxy from the environment could not reach it.
                handler.UseProxy = false;
            });
        return services;
    }

    /// <summary>
    /// Single flight comes first, so what follows happens once for all callers: one retry loop, one timeout for each attempt.
    /// </summary>
    private static ResiliencePipeline<AccessToken> CreatePipeline(DemoOptions options)
    {
        var builder = new ResiliencePipelineBuilder<AccessToken> { Name = "tokens" };
        if (!options.Without)
        {
            builder.AddSingleFlight();
        }

        return builder
            .AddRetry(new RetryStrategyOptions<AccessToken>
            {
                // Only what may pass: a refusal would be refused again, and a timeout is an endpoint that needs less load, not more.
                ShouldHandle = new PredicateBuilder<AccessToken>()
                    .Handle<HttpRequestException>()
                    .Handle<TokenRequestException>(static exception => exception.IsTransient),
                MaxRetryAttempts = 3,
                Delay = options.Scale(TimeSpan.FromMilliseconds(200)),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
            })
            .AddTimeout(options.Timeout)
            .Build();
    }
}
