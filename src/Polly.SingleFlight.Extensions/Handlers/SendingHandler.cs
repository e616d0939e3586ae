namespace Polly.SingleFlight.Extensions.Handlers;

/// <summary>
/// Stands behind the handlers of a client and lets the flight of a request see it as it goes out, with whatever they have added:
/// a redirect may take a credential off again before the response is there to be judged.
/// </summary>
internal sealed class SendingHandler : RequestObserver
{
    private static readonly HttpRequestOptionsKey<Action<HttpRequestMessage>> s_sending = new("Polly.SingleFlight.Sending");

    protected override void Observe(HttpRequestMessage request)
    {
        if (request.Options.TryGetValue(s_sending, out var sending))
        {
            sending(request);
        }
    }
}
