namespace Polly.SingleFlight.Http;

/// <summary>
/// What redirects have made of the flight's request. Without the strategy the handler that follows them would have made
/// it of the caller's own: another URI, perhaps another method and no body, and no Authorization, which is not for the new
/// address.
/// </summary>
internal sealed class FinalRequest
{
    private readonly Uri _uri;
    private readonly HttpMethod _method;
    private readonly bool _hasContent;
    private readonly bool _hasAuthorization;
    private readonly string _leadersFragment;

    private FinalRequest(HttpCall leader, HttpRequestMessage last, Uri uri)
    {
        _uri = uri;
        _method = last.Method;
        _hasContent = last.Content is not null;
        _hasAuthorization = last.Headers.NonValidated.Contains("Authorization");
        _leadersFragment = leader.Uri.Fragment;
    }

    /// <summary>Null when the request ended where it was sent.</summary>
    public static FinalRequest? Of(HttpCall leader, HttpResponseMessage response) =>
        response.RequestMessage is { RequestUri: { IsAbsoluteUri: true } uri } last && !ReferenceEquals(uri, leader.Uri) && UriText.Of(uri) != leader.UriText
            ? new FinalRequest(leader, last, uri)
            : null;

    public void ApplyTo(HttpRequestMessage request)
    {
        try
        {
            var own = request.RequestUri is { IsAbsoluteUri: true } uri ? uri.Fragment : "";
            request.RequestUri = own != _leadersFragment && _uri.Fragment == _leadersFragment ? WithFragment(own) : _uri;
            request.Method = _method;
            if (!_hasAuthorization)
            {
                request.Headers.Authorization = null;
            }

            if (!_hasContent && request.Content is not null)
            {
                request.Content = null;
                request.Headers.TransferEncodingChunked = null;
            }
        }
        catch (ObjectDisposedException)
        {
            // The caller has disposed its request already, so it will not look where it went.
        }
    }

    /// <summary>A redirect without a fragment inherits that of the request (RFC 9110, 10.2.2): the caller's, not the leader's.</summary>
    private Uri WithFragment(string fragment) => new UriBuilder(_uri) { Fragment = fragment }.Uri;
}
