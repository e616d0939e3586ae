namespace Polly.SingleFlight.Extensions;

/// <summary>
/// Stands behind the handlers of a client and lets the flight of a request see it as it goes out, with whatever they have added:
/// a redirect may take a credential off again before the response is there to be judged.
/// </summary>
internal sealed class SendingHandler : DelegatingHandler
{
    private static readonly HttpRequestOptionsKey<Action<HttpRequestMessage>> s_sending = new("Polly.SingleFlight.Sending");

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Show(request);
        return base.SendAsync(request, cancellationToken);
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Show(request);
        return base.Send(request, cancellationToken);
    }

    private static void Show(HttpRequestMessage request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Options.TryGetValue(s_sending, out var sending))
        {
            sending(request);
        }
    }
}
