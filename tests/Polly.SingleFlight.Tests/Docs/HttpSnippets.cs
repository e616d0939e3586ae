using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>The code blocks of the documentation about HTTP; see <see cref="Snippets"/>.</summary>
internal static class HttpSnippets
{
    public static ResiliencePipeline<HttpResponseMessage> Pipeline()
    {
        #region http-pipeline
        ResiliencePipeline<HttpResponseMessage> pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddSingleFlight()                                          // one request for all callers
            .AddRetry(new HttpRetryStrategyOptions())                   // one retry loop for all callers
            .AddTimeout(TimeSpan.FromSeconds(5))                        // one attempt's budget, until the headers are there
            .Build();
        #endregion
        return pipeline;
    }

    public static HttpSingleFlightStrategyOptions Key(HttpRequestMessage request, HttpRequestMessage other, Func<string?> currentTenant)
    {
        #region http-key
        var options = new HttpSingleFlightStrategyOptions
        {
            // What the request does not show: cookies of a CookieContainer, a client certificate, an ambient user.
            Discriminator = request => currentTenant(),
        };
        options.Methods.Add(HttpMethod.Post);          // a query by POST, which is safe to send once for several callers
        options.ExcludedHeaders.Add("X-Trace");        // differs with every request and changes nothing

        request.DisableSingleFlight();                 // this one request is sent alone
        other.SetSingleFlightKey(("prices", "eu"));    // or says itself what it is equal to: the key is yours, and so are its mistakes
        #endregion
        return options;
    }

    public static void TokenEndpoint(IServiceCollection services)
    {
        #region http-token-endpoint
        services.AddHttpClient<TokenClient>(client => client.BaseAddress = new Uri("https://login.example/"))
            .AddSingleFlight(options => options.UseTokenEndpoint());
        #endregion
    }

    public static void Flagship(IServiceCollection services, IConfiguration configuration)
    {
        #region http-flagship
        // A token endpoint: concurrent requests for the same token become one.
        services.AddHttpClient<TokenClient>(client => client.BaseAddress = new Uri("https://login.example/"))
            .AddSingleFlight(options => options.UseTokenEndpoint());

        // Anything that is read: GET and HEAD, with safe defaults, by name ...
        services.AddHttpClient("catalog").AddSingleFlight();

        // ... or with options from configuration, which may change while the service runs.
        services.AddHttpClient<PriceListClient>().AddSingleFlight(configuration.GetSection("SingleFlight:Prices"));
        #endregion
    }

    public static void Handler(IServiceCollection services)
    {
        #region http-handler
        services.AddHttpClient<PriceListClient>()
            .AddSingleFlight()
            .AddStandardResilienceHandler();                    // once for all callers: retries, timeouts, circuit breaker
        #endregion
    }

    public static void ServiceDefaults(IServiceCollection services)
    {
        #region http-service-defaults
        // The service defaults, for every client ...
        services.AddServiceDiscovery();
        services.ConfigureHttpClientDefaults(client =>
        {
            client.AddStandardResilienceHandler();
            client.AddServiceDiscovery();
        });

        // ... and single flight for this one. Both run inside it: one retry, and one failure for the circuit breaker, for all callers.
        services.AddHttpClient<CatalogClient>(client => client.BaseAddress = new Uri("http://catalog")).AddSingleFlight();
        #endregion
    }

    public static void HttpResilience(IServiceCollection services)
    {
        #region http-resilience
        services.AddHttpClient<PriceListClient>()
            .AddResilienceHandler("prices", (builder, context) => builder
                .AddSingleFlight(new HttpSingleFlightStrategyOptions { Group = context.GetSingleFlightGroup() })
                .AddRetry(new HttpRetryStrategyOptions())
                .AddTimeout(TimeSpan.FromSeconds(3)));          // for each attempt, until the headers are there
        #endregion
    }

    internal sealed class CatalogClient(HttpClient http)
    {
        public HttpClient Http => http;
    }

    internal sealed class TokenClient(HttpClient http)
    {
        public HttpClient Http => http;
    }

    internal sealed class PriceListClient(HttpClient http)
    {
        public HttpClient Http => http;
    }
}
