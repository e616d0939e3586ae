using Microsoft.Extensions.Http;

namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

/// <summary>Notes which handlers a client was created with, outermost first, after everybody had a say.</summary>
internal sealed class HandlerRecorder : IHttpMessageHandlerBuilderFilter
{
    private readonly Dictionary<string, string[]> _handlers = [];

    /// <summary>How many chains of handlers the factory made.</summary>
    public int Chains { get; private set; }

    /// <summary>Short names of the handlers of a client, without those that only look.</summary>
    public string[] Of(string client)
    {
        lock (_handlers)
        {
            return [.. _handlers[client].Where(static name => name is not ("BeforeRoute" or "AfterRoute" or "SendingHandler"))];
        }
    }

    /// <summary>All of them.</summary>
    public string[] AllOf(string client)
    {
        lock (_handlers)
        {
            return _handlers[client];
        }
    }

    /// <summary>To be called when all else is registered: the filter of single flight puts itself first too.</summary>
    public static HandlerRecorder AddTo(IServiceCollection services)
    {
        var recorder = new HandlerRecorder();

        // The first filter acts last.
        services.Insert(0, ServiceDescriptor.Singleton<IHttpMessageHandlerBuilderFilter>(recorder));
        return recorder;
    }

    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        lock (_handlers)
        {
            Chains++;
            _handlers[builder.Name!] = [.. builder.AdditionalHandlers
                .Where(static handler => handler.GetType().Name is not ("LoggingScopeHttpMessageHandler" or "LoggingHttpMessageHandler"))
                .Select(static handler => handler.GetType().Name)];
        }
    };
}
