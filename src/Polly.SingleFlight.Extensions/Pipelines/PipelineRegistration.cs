using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Pipelines;

/// <summary>A pipeline that a client was given.</summary>
/// <param name="ClientName">The name of the client; null in <c>ConfigureHttpClientDefaults</c>, for all clients.</param>
/// <param name="PipelineName">The name of the pipeline.</param>
/// <param name="IsConfiguredTogether">
/// Whether all who add it configure the same options, so that a second one adds nothing. Otherwise a second one is a mistake.
/// </param>
internal sealed record PipelineRegistration(string? ClientName, string PipelineName, bool IsConfiguredTogether)
{
    /// <summary>Notes it among the services.</summary>
    /// <returns><see langword="false"/> if it was there.</returns>
    /// <exception cref="InvalidOperationException">Another one of the client has the same name.</exception>
    public bool TryAdd(IServiceCollection services)
    {
        var same = services
            .Where(static service => service.ServiceType == typeof(PipelineRegistration) && !service.IsKeyedService)
            .Select(static service => (PipelineRegistration)service.ImplementationInstance!)
            .FirstOrDefault(other => other.ClientName == ClientName && other.PipelineName == PipelineName);
        if (same is not null)
        {
            return IsConfiguredTogether && same.IsConfiguredTogether ? false : throw Twice(ClientName);
        }

        services.AddSingleton(this);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHttpMessageHandlerBuilderFilter, SendingHandlerFilter>());
        services.TryAddSingleton<PipelineRegistry>();
        return true;
    }

    /// <summary>
    /// Adds the handler as <c>AddHttpMessageHandler</c> would, and learns the client's name with it, which the defaults of all
    /// clients do not know before.
    /// </summary>
    public void AddHandler(
        IServiceCollection services, Action<ResiliencePipelineBuilder<HttpResponseMessage>, SingleFlightHandlerContext> configure)
    {
        services.Configure<HttpClientFactoryOptions>(ClientName, options => options.HttpMessageHandlerBuilderActions.Add(builder =>
        {
            var key = new PipelineKey(builder.Name ?? "", PipelineName);
            if (!builder.AdditionalHandlers.Any(handler => handler is SingleFlightHandler other && other.Key == key))
            {
                var registry = builder.Services.GetRequiredService<PipelineRegistry>();
                builder.AdditionalHandlers.Add(new SingleFlightHandler(registry.GetOrAdd(key, configure)));
            }
            else if (!IsConfiguredTogether)
            {
                throw Twice(key.ClientName);
            }
        }));
    }

    private InvalidOperationException Twice(string? clientName) => new(
        $"The client '{clientName}' has a pipeline '{PipelineName}' already. Give each pipeline of a client a name of its own, or add all strategies to one.");
}
