namespace Polly.SingleFlight.Http;

/// <summary>
/// The flight's request after its redirects, which is applied to the request of each caller. Without the strategy the handler that follows
/// redirects changes the caller's own request in the same way: its URI, and maybe its method, body and <c>Authorization</c>.
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

    /// <summary>Creates the final request; null if there was no redirect.</summary>
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
            // The caller has disposed its request, which cannot be changed any more.
        }
    }

    /// <summary>Replaces the leader's fragment by the caller's, which a redirect without a fragment inherits (RFC 9110, 10.2.2).</summary>
    private Uri WithFragment(string fragment) => new UriBuilder(_uri) { Fragment = fragment }.Uri;
}
