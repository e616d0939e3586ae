using System.Net;

namespace Polly.SingleFlight.Http;

/// <summary>A whole response in memory, from which the responses of the followers are made. Immutable.</summary>
internal sealed class ResponseSnapshot
{
    private readonly HttpStatusCode _status;
    private readonly string? _reasonPhrase;
    private readonly Version _version;
    private readonly HeaderFields _headers;
    private readonly HeaderFields _contentHeaders;
    private readonly HeaderFields _trailers;
    private readonly ArraySegment<byte> _body;
    private readonly FinalRequest? _final;
    private readonly long? _length;
    private readonly HttpCall _leader;
    private readonly IdentityGuard _guard;
    private readonly string[] _vary;

    /// <param name="leader">The leader's request.</param>
    /// <param name="response">The response, with its original content.</param>
    /// <param name="body">The body.</param>
    /// <param name="guard">Tells in which credentials callers must agree.</param>
    public ResponseSnapshot(HttpCall leader, HttpResponseMessage response, ArraySegment<byte> body, IdentityGuard guard)
    {
        _leader = leader;
        _guard = guard;
        _status = response.StatusCode;
        _reasonPhrase = response.ReasonPhrase;
        _version = response.Version;
        _headers = new(response.Headers);
        _contentHeaders = new(response.Content.Headers);
        _trailers = new(response.TrailingHeaders);
        _body = body;
        _length = ContentLengths.Of(response.Content).Computed;
        _final = FinalRequest.Of(leader, response);
        _vary = response.Headers.NonValidated.TryGetValues("Vary", out var vary) ? [.. VaryNames.Of(new HeaderField("Vary", vary))] : [];
    }

    public HttpStatusCode Status => _status;

    /// <summary>
    /// Whether the response also answers the follower's request. The two requests may differ in headers that are excluded from the key, and in
    /// all parts if the key is the user's.
    /// </summary>
    public bool Fits(HttpCall follower)
    {
        foreach (var name in _vary)
        {
            if (!AgreeOn(name, follower))
            {
                return false;
            }
        }

        // A generated key contains the method.
        var isKeyGenerated = !_leader.HasCustomKey && !follower.HasCustomKey;
        return (isKeyGenerated || _leader.Method == follower.Method)
            && _guard.CredentialsOutsideKey(isKeyGenerated).All(name => AgreeOn(name, follower));
    }

    /// <summary>Creates the content of one response.</summary>
    public HttpContent CreateContent() => new SharedContent(_body, _length, _contentHeaders);

    /// <summary>Creates a response without a request.</summary>
    public HttpResponseMessage CreateResponse()
    {
        var response = new HttpResponseMessage(_status)
        {
            ReasonPhrase = _reasonPhrase,
            Version = _version,
            Content = CreateContent(),
        };
        _headers.AddTo(response.Headers);
        if (!_trailers.Span.IsEmpty)
        {
            _trailers.AddTo(response.TrailingHeaders);
        }

        return response;
    }

    /// <summary>Makes a request the one of a response, and changes it as redirects changed the leader's.</summary>
    public void Assign(HttpResponseMessage response, HttpRequestMessage request)
    {
        response.RequestMessage = request;
        _final?.ApplyTo(request);
    }

    private bool AgreeOn(string name, HttpCall follower) =>
        HeaderField.MeanTheSame(_leader.Headers.ValuesOf(name), follower.Headers.ValuesOf(name))
        && HeaderField.MeanTheSame(_leader.ContentHeaders.ValuesOf(name), follower.ContentHeaders.ValuesOf(name));
}
