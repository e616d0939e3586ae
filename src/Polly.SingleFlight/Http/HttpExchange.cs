namespace Polly.SingleFlight.Http;

/// <summary>The request and the response of one flight. Written by the thread that runs or lands the flight, without a lock.</summary>
internal sealed class HttpExchange(HttpRequestMessage request, SendingObserver observer)
{
    /// <summary>The flight's own request.</summary>
    public HttpRequestMessage Request { get; } = request;

    /// <summary>The body that the request was created with. A handler may replace the one of the request.</summary>
    public HttpContent? Content { get; } = request.Content;

    public SendingObserver Observer { get; } = observer;

    /// <summary>The reason why followers do not get the response. Set by <see cref="HttpSharing.PrepareAsync"/>.</summary>
    public Unshareable Unshareable { get; set; }

    /// <summary>The name of the addition that the identity guard found in the request as sent; null if there is none.</summary>
    public string? Addition { get; set; }

    /// <summary>The source of the followers' responses; null if they do not get the response. Set by <see cref="HttpSharing.PrepareAsync"/>.</summary>
    public ResponseSnapshot? Snapshot { get; set; }
}
