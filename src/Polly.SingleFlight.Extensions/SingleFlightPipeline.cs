using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly.Registry;
using Polly.SingleFlight.Extensions.Telemetry;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions;

/// <summary>
/// The pipeline of one client, in the registry of the services: it is built with the first handler of the client, for all of its
/// handlers, and again when the options change.
/// </summary>
internal static class SingleFlightPipeline
{
    /// <summary>The name of the pipeline in telemetry, whose instance is the client.</summary>
    public const string Name = "SingleFlight";

    /// <summary>What a pipeline is found by: the name of the client as the factory has it, which the defaults of all clients do not know before.</summary>
    internal readonly record struct Key(string Client);

    public static ResiliencePipeline<HttpResponseMessage> Get(IServiceProvider services, string client)
    {
        var monitor = services.GetRequiredService<IOptionsMonitor<HttpSingleFlightStrategyOptions>>();
        var loggers = services.GetRequiredService<ILoggerFactory>();
        HttpSingleFlightStrategyOptions? last = null;
        return services.GetRequiredService<ResiliencePipelineRegistry<Key>>().GetOrAddPipeline<HttpResponseMessage>(new Key(client), (builder, context) =>
        {
            context.EnableReloads(monitor, client);
            try
            {
                last = monitor.Get(client);
            }
            catch (Exception exception) when (last is not null)
            {
                // A reload that fails would be the last one of this pipeline, so it is built with the options it had.
                Log.OptionsRejected(Log.CreateLogger(loggers), client, exception.Message);
            }

            builder.AddSingleFlight(last);
        });
    }
}
