namespace Polly.SingleFlight.Http;

/// <summary>What one flight sent and received. Belongs to the flight alone.</summary>
internal sealed class HttpExchange(HttpRequestMessage request, SendingWitness witness)
{
    /// <summary>The flight's own request.</summary>
    public HttpRequestMessage Request { get; } = request;

    public SendingWitness Witness { get; } = witness;

    /// <summary>Why the response is not for the followers, as far as is known.</summary>
    public Unshareable Unshareable { get; set; }

    /// <summary>What the followers' responses are made from; null until the response is ready to be shared.</summary>
    public ResponseSnapshot? Snapshot { get; set; }
}
