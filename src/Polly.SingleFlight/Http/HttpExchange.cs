namespace Polly.SingleFlight.Http;

/// <summary>What one flight sent and received. Belongs to the flight alone.</summary>
internal sealed class HttpExchange(HttpRequestMessage request, SendingObserver observer)
{
    /// <summary>The flight's own request.</summary>
    public HttpRequestMessage Request { get; } = request;

    /// <summary>The body that the request was made with, which a handler may replace.</summary>
    public HttpContent? Content { get; } = request.Content;

    public SendingObserver Observer { get; } = observer;

    /// <summary>Why the response is not for the followers, as far as is known.</summary>
    public Unshareable Unshareable { get; set; }

    /// <summary>What the request was sent with although its caller had not asked with it, if that is why.</summary>
    public string? Addition { get; set; }

    /// <summary>What the followers' responses are made from; null until the response is ready to be shared.</summary>
    public ResponseSnapshot? Snapshot { get; set; }
}
