namespace Polly.SingleFlight.Extensions.Handlers;

/// <summary>Looks at a request, or notes something with it, and passes it on.</summary>
internal abstract class RequestObserver : DelegatingHandler
{
    protected abstract void Observe(HttpRequestMessage request);

    protected sealed override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        Observe(request);
        return base.SendAsync(request, cancellationToken);
    }

    protected sealed override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        Observe(request);
        return base.Send(request, cancellationToken);
    }
}
