using System.Net;

namespace Polly.SingleFlight.Http;

/// <summary>
/// Decides by its header fields whether a response may be shared (RFC 9111, 3 and 4): a response that could not be reused for the other requests
/// is not shared with them.
/// </summary>
internal sealed class ResponseRules(HttpSingleFlightStrategyOptions options, IdentityGuard guard)
{
    private readonly bool _shareNoStore = options.ShareNoStoreResponses;
    private readonly bool _shareSetCookie = options.ShareSetCookieResponses;
    private readonly int _maxBodyBytes = options.MaxResponseBodyBytes;

    /// <summary>Whether the next response to the same request may have another status, so that its key is not remembered as unshareable.</summary>
    public static bool IsTransient(HttpStatusCode status) => status == HttpStatusCode.TooManyRequests || (int)status >= 500;

    /// <summary>Whether a response has no body, although its headers may describe one (RFC 9110, 8.6).</summary>
    public static bool IsWithoutBody(HttpMethod method, HttpStatusCode status) =>
        method == HttpMethod.Head || status is HttpStatusCode.NotModified or HttpStatusCode.NoContent;

    /// <summary>Decides by the headers, before the body is read.</summary>
    public Unshareable Judge(HttpCall call, HttpExchange exchange, HttpResponseMessage response)
    {
        if ((int)response.StatusCode < 200)
        {
            return Unshareable.NotFinal;
        }

        exchange.Addition = guard.FindAfterSending(call, exchange, response.RequestMessage);
        if (exchange.Addition is not null)
        {
            return Unshareable.Identity;
        }

        foreach (var (name, values) in response.Headers.NonValidated)
        {
            var field = new HeaderField(name, values);
            var reason = field.IsNamed("Vary") && VariesByMore(field, call, exchange, response) ? Unshareable.Vary : Judge(field);
            if (reason != Unshareable.None)
            {
                return reason;
            }
        }

        if (response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var types)
            && IsEndless(new HeaderField("Content-Type", types)))
        {
            return Unshareable.Stream;
        }

        var lengths = ContentLengths.Of(response.Content);
        return !IsWithoutBody(exchange.Request.Method, response.StatusCode) && (lengths.Announced ?? lengths.Computed) > _maxBodyBytes
            ? Unshareable.BodyTooLarge
            : Unshareable.None;
    }

    /// <summary>Decides by the trailers, after the body was read.</summary>
    public Unshareable JudgeTrailers(HttpResponseMessage response)
    {
        foreach (var (name, values) in response.TrailingHeaders.NonValidated)
        {
            var reason = Judge(new HeaderField(name, values));
            if (reason != Unshareable.None)
            {
                return reason;
            }
        }

        return Unshareable.None;
    }

    private static bool IsEndless(in HeaderField type) => type.Contains("text/event-stream") || type.Contains("multipart/x-mixed-replace");

    /// <summary>
    /// Whether the response varies by <c>*</c>, or by a header that was added or changed inside the flight. <c>Accept-Encoding</c> does not count,
    /// because the innermost handler adds it for all callers alike.
    /// </summary>
    private static bool VariesByMore(in HeaderField vary, HttpCall call, HttpExchange exchange, HttpResponseMessage response)
    {
        foreach (var name in VaryNames.Of(vary))
        {
            if (name == "*"
                || (!name.Equals("Accept-Encoding", StringComparison.OrdinalIgnoreCase)
                    && (IsOther(name, call, exchange.Request) || IsOther(name, call, response.RequestMessage))))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsOther(string name, HttpCall call, HttpRequestMessage? sent) =>
        sent is not null
        && sent.Headers.NonValidated.TryGetValues(name, out var values)
        && !HeaderField.MeanTheSame(call.Headers.ValuesOf(name), new HeaderField(name, values).Values);

    private Unshareable Judge(in HeaderField field) => field switch
    {
        _ when !_shareSetCookie && (field.IsNamed("Set-Cookie") || field.IsNamed("Set-Cookie2")) => Unshareable.SetCookie,
        _ when field.IsNamed("Authentication-Info") || field.IsNamed("Proxy-Authentication-Info") => Unshareable.AuthenticationInfo,
        _ when field.IsNamed("Clear-Site-Data") => Unshareable.ClearSiteData,
        _ when field.IsNamed("Vary") && VaryNames.Of(field).Contains("*") => Unshareable.Vary,
        _ when !_shareNoStore && field.IsNamed("Cache-Control") && CacheControl.IsNoStore(field) => Unshareable.NoStore,
        _ => Unshareable.None,
    };
}
