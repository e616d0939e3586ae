namespace Polly.SingleFlight.Http;

/// <summary>
/// Which requests may take part (RFC 9111, 4: a request may be collapsed into another only if it could be answered by the
/// same response). One that may is taken down; one that may not is left as it was.
/// </summary>
internal sealed class HttpIntake(HttpSingleFlightStrategyOptions options)
{
    private readonly HashSet<HttpMethod> _methods = [.. options.Methods];
    private readonly HashSet<string> _bypassHeaders = new(options.BypassHeaders, StringComparer.OrdinalIgnoreCase);
    private readonly int _maxBodyBytes = options.MaxRequestBodyBytes;
    private readonly bool _tokenEndpoint = options.IsForTokenEndpoint;

    /// <summary>Whether the request changes what others read (RFC 9110, 9.2.1), by a method that is not coalesced.</summary>
    public bool IsUnsafe(HttpRequestMessage request) =>
        (request.Method == HttpMethod.Put
            || request.Method == HttpMethod.Post
            || request.Method == HttpMethod.Patch
            || request.Method == HttpMethod.Delete)
        && !_methods.Contains(request.Method);

    public ValueTask<Intake> TakeDownAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!_methods.Contains(request.Method)
            || request.RequestUri is not { IsAbsoluteUri: true } uri
            || request.IsSingleFlightDisabled())
        {
            return Bypass(BypassReason.Request);
        }

        if (request.Content is { } content)
        {
            return TakeDownAsync(request, uri, content, cancellationToken);
        }

        var call = new HttpCall(request, UriText.Of(uri));
        return _tokenEndpoint || IsExempt(call.Headers) ? Bypass(BypassReason.Request) : new(new Intake(call, default));
    }

    private static ValueTask<Intake> Bypass(BypassReason reason) => new(new Intake(null, reason));

    private ValueTask<Intake> TakeDownAsync(HttpRequestMessage request, Uri uri, HttpContent content, CancellationToken cancellationToken)
    {
        // A body of unknown length may be endless, and a body on a GET has no meaning that two servers agree on.
        if (request.Method == HttpMethod.Get
            || request.Method == HttpMethod.Head
            || RequestBody.IsStream(content)
            || content.Headers.ContentLength is not { } length)
        {
            return Bypass(BypassReason.Request);
        }

        if (length > _maxBodyBytes)
        {
            return Bypass(BypassReason.Limit);
        }

        var call = new HttpCall(request, UriText.Of(uri));
        if (IsExempt(call.Headers))
        {
            return Bypass(BypassReason.Request);
        }

        var body = RequestBody.ReadAsync(content, (int)length, cancellationToken);
        return body.IsCompletedSuccessfully
            ? new(WithBody(call, content, body.Result))
            : WithBodyAsync(call, content, body);
    }

    private async ValueTask<Intake> WithBodyAsync(HttpCall call, HttpContent content, ValueTask<byte[]?> body) =>
        WithBody(call, content, await body.ConfigureAwait(false));

    private Intake WithBody(HttpCall call, HttpContent content, byte[]? body)
    {
        if (body is null)
        {
            return new(null, BypassReason.Request);
        }

        call.SetBody(content, body);
        if (IsExempt(call.ContentHeaders))
        {
            return new(null, BypassReason.Request);
        }

        if (_tokenEndpoint)
        {
            call.Form = IsForm(call.ContentHeaders) ? FormFields.Parse(body) : null;
            if (call.Form?.IsClientCredentialsGrant() != true)
            {
                return new(null, BypassReason.Request);
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
