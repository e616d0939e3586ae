using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Http;

/// <summary>
/// A copy of one caller's request, made when the caller entered the strategy. Later steps read the copy, because the caller may have changed or
/// disposed the request. The request itself is read and changed only while its caller waits (I6).
/// </summary>
internal sealed class HttpCall(HttpRequestMessage request, string uriText) : Attachment
{
    /// <summary>The caller's own request, which becomes the request of its response.</summary>
    public HttpRequestMessage Request { get; } = request;

    public HttpMethod Method { get; } = request.Method;

    public Uri Uri { get; } = request.RequestUri!;

    /// <summary>The absolute URI without its fragment.</summary>
    public string UriText { get; } = uriText;

    public Version Version { get; } = request.Version;

    public HttpVersionPolicy VersionPolicy { get; } = request.VersionPolicy;

    public HeaderFields Headers { get; } = new(request.Headers);

    public HeaderFields ContentHeaders { get; private set; }

    /// <summary>The body; null if the request has none. Set before the key is made.</summary>
    public byte[]? Body { get; private set; }

    /// <summary>The caller's content, from which the body was read. It is compared and never read again.</summary>
    public HttpContent? Content { get; } = request.Content;

    /// <summary>The decoded fields of the body of a token request; null for other requests. Set before the key is made.</summary>
    public FormFields? Form { get; set; }

    /// <summary>The value that the discriminator of the options returned; null without a discriminator. Set when the key is made.</summary>
    public object? Discriminator { get; set; }

    /// <summary>Whether the user set the key or generates it, instead of one that is made from the request. Set before the flight.</summary>
    public bool HasCustomKey { get; set; }

    /// <summary>The request and response of the flight that this caller leads; null before that. Written by the leader before its callback.</summary>
    public HttpExchange? Exchange { get; set; }

    public void SetBody(HeaderFields contentHeaders, byte[] body)
    {
        ContentHeaders = contentHeaders;
        Body = body;
    }

    /// <summary>Creates the flight's own request, which does not depend on the leader's.</summary>
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
