using System.Net;

namespace Polly.SingleFlight.Http;

/// <summary>A whole response in memory, from which every follower gets one of its own. Cannot be changed.</summary>
internal sealed class ResponseSnapshot
{
    private readonly HttpStatusCode _status;
    private readonly string? _reasonPhrase;
    private readonly Version _version;
    private readonly HeaderFields _headers;
    private readonly HeaderFields _contentHeaders;
    private readonly HeaderFields _trailers;
    private readonly ArraySegment<byte> _body;
    private readonly FinalRequest _final;
    private readonly string[] _vary;

    public ResponseSnapshot(HttpResponseMessage response, ArraySegment<byte> body)
    {
        _status = response.StatusCode;
        _reasonPhrase = response.ReasonPhrase;
        _version = response.Version;
        _headers = new(response.Headers);
        _contentHeaders = new(response.Content.Headers);
        _trailers = new(response.TrailingHeaders);
        _body = body;
        _final = FinalRequest.Of(response);
        _vary = response.Headers.NonValidated.TryGetValues("Vary", out var vary) ? [.. VaryNames.Of(new HeaderField("Vary", vary))] : [];
    }

    public HttpStatusCode Status => _status;

    /// <summary>
    /// Whether the response to one request is also one to the other, as far as the response says what it varies by. Headers in
    /// the key are equal anyway; those that are excluded from it, or replaced by a key of the user's, may not be.
    /// </summary>
    public bool Fits(HttpCall leader, HttpCall follower)
    {
        foreach (var name in _vary)
        {
            if (!HeaderField.HaveSameValues(leader.Headers.ValuesOf(name), follower.Headers.ValuesOf(name))
                || !HeaderField.HaveSameValues(leader.ContentHeaders.ValuesOf(name), follower.ContentHeaders.ValuesOf(name)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The content of one response.</summary>
    public HttpContent CreateContent() => new SharedContent(_body, _contentHeaders);

    /// <summary>A response to a request, which has the final URI from then on.</summary>
    public HttpResponseMessage CreateResponse(HttpRequestMessage request)
    {
        var response = new HttpResponseMessage(_status)
        {
            ReasonPhrase = _reasonPhrase,
            Version = _version,
            Content = CreateContent(),
            RequestMessage = request,
        };
        _headers.AddTo(response.Headers);
        if (!_trailers.Span.IsEmpty)
        {
            _trailers.AddTo(response.TrailingHeaders);
        }

        _final.ApplyTo(request);
        return response;
    }
}
