namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

/// <summary>A handler of an application: does something to each request, and passes it on.</summary>
internal sealed class AppHandler(Action<HttpRequestMessage> act) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        act(request);
        return base.SendAsync(request, cancellationToken);
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        act(request);
        return base.Send(request, cancellationToken);
    }
}
