namespace Polly.SingleFlight.Http;

/// <summary>What one flight sent and received. Belongs to the flight alone.</summary>
/// <param name="request">The flight's own request.</param>
internal sealed class HttpExchange(HttpRequestMessage request)
{
    public HttpRequestMessage Request { get; } = request;

    /// <summary>Why the response is not for the followers, as far as is known.</summary>
    public Unshareable Unshareable { get; set; }

    /// <summary>What the followers' responses are made from; null until the response is ready to be shared.</summary>
    public ResponseSnapshot? Snapshot { get; set; }
}
