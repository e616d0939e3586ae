using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Http;
using Polly.SingleFlight.Tests.Infrastructure.Http;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>The code blocks of the documentation about registration; see <see cref="Snippets"/>.</summary>
internal static class DependencyInjectionSnippets
{
    public static void Registrations(IServiceCollection services, IConfiguration configuration)
    {
        #region di-registrations
        services.AddHttpClient("catalog").AddSingleFlight();                                        // the defaults
        services.AddHttpClient<ILogin, LoginClient>().AddSingleFlight(options => options.UseTokenEndpoint());
        services.AddHttpClient("prices").AddSingleFlight(configuration.GetSection("SingleFlight:Prices"));

        // The options of a client have its name, so they can be configured from anywhere.
        services.Configure<HttpSingleFlightStrategyOptions>("catalog", options => options.MaxJoinAge = TimeSpan.FromSeconds(2));
        services.Configure<HttpSingleFlightStrategyOptions>(nameof(ILogin), options => options.MaxElections = 3);
        #endregion
    }

    public static void Defaults(IServiceCollection services)
    {
        services.AddTransient<CurrentUserHandler>();
        #region di-defaults
        services.ConfigureHttpClientDefaults(client => client.AddSingleFlight());     // every client ...

        services.AddHttpClient<AccountClient>()
            .AddHttpMessageHandler<CurrentUserHandler>()
            .AddSingleFlight();                                                       // ... and this one after the handler that adds the identity
        #endregion
    }

    public static void Order(IServiceCollection services)
    {
        services.AddTransient<CurrentUserHandler>().AddTransient<AuditHandler>().AddSingleton<AuditLog>();
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

    public interface ILogin
    {
        HttpClient Http { get; }
    }

    public sealed class LoginClient(HttpClient http) : ILogin
    {
        public HttpClient Http { get; } = http;
    }

    public sealed class AccountClient(HttpClient http)
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

    /// <summary>Adds whoever asks, in a header that the strategy has never heard of.</summary>
    public sealed class CurrentUserHandler : DelegatingHandler
    {
        public static AsyncLocal<string?> CurrentUser { get; } = new();

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            base.SendAsync(request.With("X-User", CurrentUser.Value!), cancellationToken);
    }

    /// <summary>Notes the users of the requests that are sent.</summary>
    public sealed class AuditLog
    {
        private readonly List<string> _users = [];

        public string[] Users
        {
            get
            {
                lock (_users)
                {
                    return [.. _users];
                }
            }
        }

        public void Note(HttpRequestMessage request)
        {
            lock (_users)
            {
                _users.AddRange(request.Headers.GetValues("X-User"));
            }
        }
    }

    public sealed class AuditHandler(AuditLog log) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            log.Note(request);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
