// Shows what all services of a company share, in the form of .NET Aspire's service defaults: telemetry, resilience, service discovery,
// and single flight for every client.
// The project CatalogService uses it. Run that with: dotnet run --project samples/ServiceDefaults/CatalogService
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Microsoft.Extensions.Hosting;

public static class ServiceDefaultsExtensions
{
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddHttpClientInstrumentation()
                .AddMeter("Polly", "Polly.SingleFlight"))
            .WithTracing(tracing => tracing
                .AddHttpClientInstrumentation()
                .AddSource("Polly.SingleFlight"));

        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(client =>
        {
            // Resilience and service discovery run inside single flight, once for all callers, also where they are added first.
            client.AddStandardResilienceHandler();
            client.AddServiceDiscovery();

            // Each client has flights of its own. A client whose handlers add an identity says AddSingleFlight() again behind them.
            client.AddSingleFlight();
        });

        return builder;
    }
}
