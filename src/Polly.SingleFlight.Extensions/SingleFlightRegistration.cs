using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Extensions.Configuration;
using Polly.SingleFlight.Extensions.Handlers;
using Polly.SingleFlight.Extensions.Telemetry;
using Polly.SingleFlight.Http;
using Polly.Telemetry;

namespace Polly.SingleFlight.Extensions;

/// <summary>Notes single flight among the services: once for all of them, and once for each client.</summary>
internal static class SingleFlightRegistration
{
    /// <summary>Adds what all clients need: the registry of pipelines, the arrangement of handlers, log and metrics.</summary>
    public static void AddShared(IServiceCollection services)
    {
        if (!TryMark(services, new Marker(null, IsShared: true)))
        {
            return;
        }

        services.AddResiliencePipelineRegistry<SingleFlightPipeline.Key>(static options =>
        {
            options.BuilderNameFormatter = static _ => SingleFlightPipeline.Name;
            options.InstanceNameFormatter = static key => key.Client;
        });

        // The first filter acts last, when all others have added what they add, wherever they were registered.
        services.Insert(0, ServiceDescriptor.Singleton<IHttpMessageHandlerBuilderFilter, HandlerArrangement>());
        services.AddOptions<TelemetryOptions>().Configure<ILoggerFactory>(static (options, loggers) =>
        {
            options.TelemetryListeners.Add(new LoggingListener(loggers));
            options.MeteringEnrichers.Add(new BypassReasonEnricher());
        });
    }

    /// <summary>Adds the handler of a client, or of all clients when there is no name, and the options of that name.</summary>
    public static void AddClient(IServiceCollection services, string? name)
    {
        AddShared(services);
        if (TryMark(services, new Marker(name, IsShared: false)))
        {
            if (name is not null)
            {
                services.AddOptions<HttpSingleFlightStrategyOptions>(name).ValidateOnStart();
            }

            services.AddSingleton<IValidateOptions<HttpSingleFlightStrategyOptions>>(
                provider => new OptionsValidator(name, provider.GetServices<BoundSection>()));
            services.AddSingleton<IPostConfigureOptions<HttpSingleFlightStrategyOptions>>(provider => new DefaultGroup(name, provider));
        }

        services.Configure<HttpClientFactoryOptions>(name, static options => options.HttpMessageHandlerBuilderActions.Add(AddHandler));
    }

    /// <summary>A client has one such handler, where it was added last: after the defaults comes what a client adds by itself.</summary>
    private static void AddHandler(HttpMessageHandlerBuilder builder)
    {
        var handlers = builder.AdditionalHandlers;
        var handler = handlers.FirstOrDefault(static handler => handler is SingleFlightHandler);
        if (handler is not null)
        {
            handlers.Remove(handler);
        }

        handlers.Add(handler ?? new SingleFlightHandler(SingleFlightPipeline.Get(builder.Services, builder.Name ?? "")));
    }

    private static bool TryMark(IServiceCollection services, Marker marker)
    {
        if (services.Any(service => service.ServiceType == typeof(Marker) && !service.IsKeyedService && marker.Equals(service.ImplementationInstance)))
        {
            return false;
        }

        services.AddSingleton(marker);
        return true;
    }

    private sealed record Marker(string? Client, bool IsShared);
}
