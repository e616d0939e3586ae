namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

/// <summary>A handler that asks for the same once more before it passes a request on.</summary>
internal sealed class Asking(Func<HttpClient> client) : DelegatingHandler
{
    private static readonly AsyncLocal<bool> s_isAsking = new();

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!s_isAsking.Value)
        {
            s_isAsking.Value = true;
            (await client().GetAsync(request.RequestUri, cancellationToken)).Dispose();
        }

        return await base.SendAsync(request, cancellationToken);
    }
}
