using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Http;

/// <summary>
/// One caller's request as it was when the caller asked. Whatever is needed of the request later is taken from here, since
/// the caller may have changed or disposed it by then; the request itself is touched only while its caller waits (I6).
/// </summary>
internal sealed class HttpCall(HttpRequestMessage request, string uriText) : Attachment
{
    /// <summary>The caller's own request, which its response refers to.</summary>
    public HttpRequestMessage Request { get; } = request;

    public HttpMethod Method { get; } = request.Method;

    public Uri Uri { get; } = request.RequestUri!;

    /// <summary>The absolute URI without its fragment.</summary>
    public string UriText { get; } = uriText;

    public Version Version { get; } = request.Version;

    public HttpVersionPolicy VersionPolicy { get; } = request.VersionPolicy;

    public HeaderFields Headers { get; } = new(request.Headers);

    public HeaderFields ContentHeaders { get; private set; }

    /// <summary>The body; null when the request has none.</summary>
    public byte[]? Body { get; private set; }

    /// <summary>The content that the body was read from. It is the caller's, and only compared.</summary>
    public HttpContent? Content { get; } = request.Content;

    /// <summary>The decoded fields of a body that is a form whose order does not matter.</summary>
    public FormFields? Form { get; set; }

    /// <summary>What the discriminator of the options said; null without one.</summary>
    public object? Discriminator { get; set; }

    /// <summary>Whether a key of the user's own takes the place of one made from the request.</summary>
    public bool HasCustomKey { get; set; }

    /// <summary>What the flight that this caller leads has sent and received.</summary>
    public HttpExchange? Exchange { get; set; }

    public void SetBody(HeaderFields contentHeaders, byte[] body)
    {
        ContentHeaders = contentHeaders;
        Body = body;
    }

    /// <summary>A request of the flight's own, which the leader cannot take away.</summary>
    public HttpRequestMessage CreateRequest()
    {
        var request = new HttpRequestMessage(Method, Uri) { Version = Version, VersionPolicy = VersionPolicy };
        Headers.AddTo(request.Headers);
        if (Body is not null)
        {
            request.Content = new FlightContent(Body, Content);
            foreach (ref readonly var field in ContentHeaders.Span)
            {
                if (!RequestBody.IsContentLength(field.Name))
                {
                    field.AddTo(request.Content.Headers);
                }
            }
        }

        if (ResilienceHttp.HasOptions(Request))
        {
            CopyOptions(request);
        }

        return request;
    }

    private void CopyOptions(HttpRequestMessage request)
    {
        foreach (var (name, value) in Request.Options)
        {
            if (!name.StartsWith(ResilienceHttp.Prefix, StringComparison.Ordinal))
            {
                ((IDictionary<string, object?>)request.Options)[name] = value;
            }
        }

        Route.BeginAt(request, Uri);
    }
}
