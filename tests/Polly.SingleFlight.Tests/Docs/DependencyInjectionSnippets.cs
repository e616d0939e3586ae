using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>The code blocks of the documentation about registration; see <see cref="Snippets"/>.</summary>
internal static class DependencyInjectionSnippets
{
    public static void Registrations(IServiceCollection services, IConfiguration configuration)
    {
        #region di-registrations
        services.AddHttpClient("catalog").AddSingleFlight();                                        // the defaults
        services.AddHttpClient<LoginClient>().AddSingleFlight(options => options.UseTokenEndpoint());
        services.AddHttpClient("prices").AddSingleFlight(configuration.GetSection("SingleFlight:Prices"));

        // The options of a client have its name, so they can be configured from anywhere.
        services.Configure<HttpSingleFlightStrategyOptions>("catalog", options => options.MaxJoinAge = TimeSpan.FromSeconds(2));
        #endregion
    }

    public static void Order(IServiceCollection services)
    {
        services.AddTransient<CurrentUserHandler>().AddTransient<AuditHandler>();
        #region di-order
        services.AddHttpClient<OrderClient>()
            .AddHttpMessageHandler<CurrentUserHandler>()     // first the identity, which is then part of the key
            .AddSingleFlight()
            .AddHttpMessageHandler<AuditHandler>();          // sees what is sent, not who has asked
        #endregion
    }

    public static void OwnPipeline(IServiceCollection services, IConfiguration configuration)
    {
        #region di-pipeline
        services.AddOptions<HttpSingleFlightStrategyOptions>("quotes").BindSingleFlight(configuration.GetSection("SingleFlight:Quotes"));
        services.AddHttpClient<QuoteClient>()
            .AddResilienceHandler("quotes", (pipeline, context) =>
            {
                context.EnableReloads<HttpSingleFlightStrategyOptions>("quotes");
                var options = context.GetOptions<HttpSingleFlightStrategyOptions>("quotes");
                options.Group ??= context.GetSingleFlightGroup();    // survives reloads; without it every reload starts with no flights
                pipeline
                    .AddTimeout(TimeSpan.FromSeconds(20))            // one caller's patience
                    .AddSingleFlight(options)
                    .AddRetry(new HttpRetryStrategyOptions())        // once for all callers
                    .AddTimeout(TimeSpan.FromSeconds(5));            // one attempt's budget
            });
        #endregion
    }

    public static HttpSingleFlightStrategyOptions Forget(IOptionsMonitor<HttpSingleFlightStrategyOptions> monitor)
    {
        #region di-forget
        HttpSingleFlightStrategyOptions options = monitor.Get("catalog");      // an IOptionsMonitor<HttpSingleFlightStrategyOptions>
        options.Group?.ForgetUri(new Uri("https://catalog.example/products"));  // whoever asks from now on starts afresh
        #endregion
        return options;
    }

    public sealed class LoginClient(HttpClient http)
    {
        public HttpClient Http { get; } = http;
    }

    public sealed class OrderClient(HttpClient http)
    {
        public HttpClient Http { get; } = http;
    }

    public sealed class QuoteClient(HttpClient http)
    {
        public HttpClient Http { get; } = http;
    }

    private sealed class CurrentUserHandler : DelegatingHandler;

    private sealed class AuditHandler : DelegatingHandler;
}
