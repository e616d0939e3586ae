using System.Net;
using Polly;
using Polly.Retry;
using Polly.SingleFlight.Http;

namespace HttpClientDemo;

/// <summary>Registers <see cref="TokenClient"/> and what its requests go through.</summary>
internal static class TokenClientRegistration
{
    private const string Tokens = "tokens";

    public static IServiceCollection AddTokenClient(
        this IServiceCollection services, IConfiguration configuration, Uri endpoint, DemoOptions options)
    {
        var client = services.AddHttpClient<TokenClient>(client =>
            {
                client.BaseAddress = endpoint;

                // There is a timeout for each attempt; a second clock would only blur which of them ended it.
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
        AddResilience(client, configuration, options);
        return options.IsCached
            ? services.AddTokenCache()
            : services.AddTransient<ITokenSource>(static services => services.GetRequiredService<TokenClient>());
    }

    /// <summary>
    /// Single flight comes first, so what follows happens once for all callers: one retry loop, one timeout for each attempt.
    /// </summary>
    private static void AddResilience(IHttpClientBuilder client, IConfiguration configuration, DemoOptions options)
    {
        client.Services.AddOptions<HttpSingleFlightStrategyOptions>(Tokens)
            .Configure(static singleFlight => singleFlight.UseTokenEndpoint())
            .BindSingleFlight(configuration.GetSection("SingleFlight"));

        client.AddSingleFlightHandler(Tokens, (pipeline, context) =>
        {
            if (!options.Without)
            {
                context.EnableReloads<HttpSingleFlightStrategyOptions>(Tokens);
                var singleFlight = context.GetOptions<HttpSingleFlightStrategyOptions>(Tokens);
                singleFlight.Group ??= context.Group;
                pipeline.AddSingleFlight(singleFlight);
            }

            pipeline
                .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
                {
                    // Only what may pass: a refusal would be refused again, and a timeout is an endpoint that needs less load, not more.
                    ShouldHandle = new PredicateBuilder<HttpResponseMessage>()
                        .Handle<HttpRequestException>()
                        .HandleResult(static response => IsTransient(response.StatusCode)),
                    MaxRetryAttempts = 3,
                    Delay = options.Scale(TimeSpan.FromMilliseconds(200)),
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                })
                .AddTimeout(options.Timeout);
        });
    }

    /// <summary>Whether the same request may succeed a moment later. A refusal (the other 4xx) stays a refusal.</summary>
    private static bool IsTransient(HttpStatusCode status) =>
        status is >= HttpStatusCode.InternalServerError or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests;
}
