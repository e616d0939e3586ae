namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

/// <summary>A handler between others, that looks at requests or changes them.</summary>
internal sealed class StubHandler(Action<HttpRequestMessage> see) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        see(request);
        return base.SendAsync(request, cancellationToken);
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        see(request);
        return base.Send(request, cancellationToken);
    }
}
