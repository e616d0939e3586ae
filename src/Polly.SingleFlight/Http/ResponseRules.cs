using System.Net;

namespace Polly.SingleFlight.Http;

/// <summary>
/// Which responses may be shared, as their headers tell (RFC 9111, 3 and 4): one that could not be reused for the other
/// requests is not for them.
/// </summary>
internal sealed class ResponseRules(HttpSingleFlightStrategyOptions options)
{
    private readonly bool _shareNoStore = options.ShareNoStoreResponses;
    private readonly bool _shareSetCookie = options.ShareSetCookieResponses;
    private readonly int _maxBodyBytes = options.MaxResponseBodyBytes;
    private readonly CredentialGuard? _guard = options.GuardCredentials ? new CredentialGuard(options) : null;

    /// <summary>Whether what a key leads to may change with the next call, so that nothing is concluded from this one.</summary>
    public static bool IsTransient(HttpStatusCode status) => status == HttpStatusCode.TooManyRequests || (int)status >= 500;

    /// <summary>Whether a response with this request and status has headers about a body that it does not have (RFC 9110, 8.6).</summary>
    public static bool IsWithoutBody(HttpMethod method, HttpStatusCode status) =>
        method == HttpMethod.Head || status is HttpStatusCode.NotModified or HttpStatusCode.NoContent;

    public Unshareable Judge(HttpCall call, HttpRequestMessage sent, HttpResponseMessage response)
    {
        if ((int)response.StatusCode < 200)
        {
            return Unshareable.NotFinal;
        }

        if (_guard is not null
            && (_guard.IsTripped(call, sent) || (response.RequestMessage is { } last && last != sent && _guard.IsTripped(call, last))))
        {
            return Unshareable.Credentials;
        }

        foreach (var (name, values) in response.Headers.NonValidated)
        {
            var reason = Judge(new HeaderField(name, values), call, sent);
            if (reason != Unshareable.None)
            {
                return reason;
            }
        }

        var content = response.Content.Headers.NonValidated;
        if (content.TryGetValues("Content-Type", out var types) && IsEndless(new HeaderField("Content-Type", types)))
        {
            return Unshareable.Stream;
        }

        return !IsWithoutBody(sent.Method, response.StatusCode) && AnnouncedLength(response.Content) > _maxBodyBytes
            ? Unshareable.BodyTooLarge
            : Unshareable.None;
    }

    /// <summary>The length that the other side announced, if it did so in a way that can be read.</summary>
    public static long? AnnouncedLength(HttpContent content) =>
        content.Headers.NonValidated.TryGetValues("Content-Length", out var values)
        && values.Count == 1
        && long.TryParse(new HeaderField("Content-Length", values)[0], System.Globalization.CultureInfo.InvariantCulture, out var length)
            ? length
            : null;

    private static bool IsEndless(in HeaderField type) => type.Contains("text/event-stream") || type.Contains("multipart/x-mixed-replace");

    /// <summary>
    /// Whether the response depends on what the callers' requests do not tell: on anything at all, or on a header that was
    /// added or changed inside the flight, for its leader. Accept-Encoding is added by the innermost handler, alike for all.
    /// </summary>
    private static bool VariesByMore(in HeaderField vary, HttpCall call, HttpRequestMessage sent)
    {
        foreach (var name in VaryNames.Of(vary))
        {
            if (name == "*")
            {
                return true;
            }

            if (!name.Equals("Accept-Encoding", StringComparison.OrdinalIgnoreCase)
                && sent.Headers.NonValidated.TryGetValues(name, out var values)
                && !HeaderField.HaveSameValues(call.Headers.ValuesOf(name), new HeaderField(name, values).Values))
            {
                return true;
            }
        }

        return false;
    }

    private Unshareable Judge(in HeaderField field, HttpCall call, HttpRequestMessage sent) => field switch
    {
        _ when !_shareSetCookie && (field.IsNamed("Set-Cookie") || field.IsNamed("Set-Cookie2")) => Unshareable.SetCookie,
        _ when field.IsNamed("Authentication-Info") || field.IsNamed("Proxy-Authentication-Info") => Unshareable.AuthenticationInfo,
        _ when field.IsNamed("Clear-Site-Data") => Unshareable.ClearSiteData,
        _ when field.IsNamed("Vary") && VariesByMore(field, call, sent) => Unshareable.Vary,
        _ when !_shareNoStore && field.IsNamed("Cache-Control") && CacheControl.IsNoStore(field) => Unshareable.NoStore,
        _ => Unshareable.None,
    };
}
