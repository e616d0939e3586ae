namespace Polly.SingleFlight.Http;

/// <summary>
/// Decides whether a request may be coalesced, and copies it if so. A request may be collapsed into another only if the same response could
/// answer both (RFC 9111, 4). A request that may not be coalesced is not changed.
/// </summary>
internal sealed class HttpRequestReader(HttpSingleFlightStrategyOptions options)
{
    private readonly HashSet<HttpMethod> _methods = [.. options.Methods];
    private readonly HeaderNames _bypassHeaders = new(options.BypassHeaders);
    private readonly int _maxBodyBytes = options.MaxRequestBodyBytes;
    private readonly bool _tokenEndpoint = options.IsForTokenEndpoint;

    /// <summary>Whether the options add a method to the coalesced ones.</summary>
    public bool IsOptedIn(HttpMethod method) => _methods.Contains(method) && method != HttpMethod.Get && method != HttpMethod.Head;

    public ValueTask<HttpReadResult> ReadAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.IsSingleFlightDisabled())
        {
            return Bypass(BypassReason.OptedOut);
        }

        if (!_methods.Contains(request.Method))
        {
            return Bypass(BypassReason.Method);
        }

        if (request.RequestUri is not { IsAbsoluteUri: true } uri)
        {
            return Bypass(BypassReason.NoKey);
        }

        if (request.Content is { } content)
        {
            return ReadAsync(request, uri, content, cancellationToken);
        }

        var call = new HttpCall(request, UriText.Of(uri));
        return _tokenEndpoint ? Bypass(BypassReason.NotClientCredentials)
            : IsExempt(call.Headers) ? Bypass(BypassReason.Header)
            : new(new HttpReadResult(call, default));
    }

    private static ValueTask<HttpReadResult> Bypass(BypassReason reason) => new(new HttpReadResult(null, reason));

    private ValueTask<HttpReadResult> ReadAsync(HttpRequestMessage request, Uri uri, HttpContent content, CancellationToken cancellationToken)
    {
        if (request.Method == HttpMethod.Get || request.Method == HttpMethod.Head)
        {
            return Bypass(BypassReason.UnexpectedBody);
        }

        // A body of unknown length may not end.
        if (RequestBody.IsStream(content) || content.Headers.ContentLength is not { } length)
        {
            return Bypass(BypassReason.UnbufferedBody);
        }

        if (length > _maxBodyBytes)
        {
            return Bypass(BypassReason.BodyTooLarge);
        }

        var call = new HttpCall(request, UriText.Of(uri));
        var contentHeaders = new HeaderFields(content.Headers);
        if (IsExempt(call.Headers) || IsExempt(contentHeaders))
        {
            return Bypass(BypassReason.Header);
        }

        if (_tokenEndpoint && !IsForm(contentHeaders))
        {
            return Bypass(BypassReason.NotClientCredentials);
        }

        var body = RequestBody.ReadAsync(content, (int)length, _maxBodyBytes, cancellationToken);
        return body.IsCompletedSuccessfully
            ? new(WithBody(call, contentHeaders, body.Result))
            : WithBodyAsync(call, contentHeaders, body);
    }

    private async ValueTask<HttpReadResult> WithBodyAsync(HttpCall call, HeaderFields contentHeaders, ValueTask<byte[]?> body) =>
        WithBody(call, contentHeaders, await body.ConfigureAwait(false));

    private HttpReadResult WithBody(HttpCall call, HeaderFields contentHeaders, byte[]? body)
    {
        if (body is null)
        {
            return new(null, BypassReason.UnbufferedBody);
        }

        call.SetBody(contentHeaders, body);
        if (_tokenEndpoint)
        {
            call.Form = FormFields.Parse(body);
            if (call.Form?.IsClientCredentialsGrant() != true)
            {
                return new(null, BypassReason.NotClientCredentials);
            }
        }

        return new(call, default);
    }

    private static bool IsForm(HeaderFields headers) =>
        headers.ValuesOf("Content-Type") is string type
        && type.AsSpan(0, type.IndexOf(';') is >= 0 and var end ? end : type.Length)
            .Trim().Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);

    private bool IsExempt(HeaderFields headers)
    {
        foreach (ref readonly var field in headers.Span)
        {
            if (_bypassHeaders.Contains(field.Name)
                || (field.IsNamed("Cache-Control") && CacheControl.IsNoStore(field))
                || (field.IsNamed("Accept") && field.Contains("text/event-stream"))
                || (field.IsNamed("Content-Type") && field.Contains("application/grpc")))
            {
                return true;
            }
        }

        return false;
    }
}
