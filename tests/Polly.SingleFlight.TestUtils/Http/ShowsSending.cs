namespace Polly.SingleFlight.Tests.Infrastructure.Http;

/// <summary>Shows a flight its request as it goes out, as the handler does that registrations put behind all others.</summary>
public sealed class ShowsSending : DelegatingHandler
{
    private static readonly HttpRequestOptionsKey<Action<HttpRequestMessage>> s_sending = new("Polly.SingleFlight.Sending");

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Options.TryGetValue(s_sending, out var sending))
        {
            sending(request);
        }

        return base.SendAsync(request, cancellationToken);
    }
}
