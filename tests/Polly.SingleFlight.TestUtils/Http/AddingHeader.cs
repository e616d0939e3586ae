namespace Polly.SingleFlight.Tests.Infrastructure.Http;

/// <summary>Sets a header on what passes, as a handler does that adds credentials.</summary>
public sealed class AddingHeader(string name, Func<HttpRequestMessage, string?> value) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        base.SendAsync(Set(request), cancellationToken);

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        base.Send(Set(request), cancellationToken);

    private HttpRequestMessage Set(HttpRequestMessage request)
    {
        request.Headers.Remove(name);
        return value(request) is { } set ? request.With(name, set) : request;
    }
}
