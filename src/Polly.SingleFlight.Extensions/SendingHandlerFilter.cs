using Microsoft.Extensions.Http;

namespace Polly.SingleFlight.Extensions;

/// <summary>Puts a <see cref="SendingHandler"/> behind the handlers of every client that has a <see cref="SingleFlightHandler"/>.</summary>
internal sealed class SendingHandlerFilter : IHttpMessageHandlerBuilderFilter
{
    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        if (builder.AdditionalHandlers.Any(static handler => handler is SingleFlightHandler))
        {
            builder.AdditionalHandlers.Add(new SendingHandler());
        }
    };
}
