namespace Polly.SingleFlight.Http;

/// <summary>What redirects have made of a request: the handler that follows them changes the URI and the method of the one it sends.</summary>
internal readonly record struct FinalRequest(Uri? Uri, HttpMethod? Method)
{
    public static FinalRequest Of(HttpResponseMessage response) => new(response.RequestMessage?.RequestUri, response.RequestMessage?.Method);

    /// <summary>Makes it of a caller's own request too, as it would have happened without the strategy.</summary>
    public void ApplyTo(HttpRequestMessage request)
    {
        try
        {
            if (Uri is not null && !ReferenceEquals(request.RequestUri, Uri))
            {
                request.RequestUri = Uri;
            }

            if (Method is not null && request.Method != Method)
            {
                request.Method = Method;
                request.Content = null;
            }
        }
        catch (ObjectDisposedException)
        {
            // The caller has disposed its request already, so it will not look where it went.
        }
    }
}
