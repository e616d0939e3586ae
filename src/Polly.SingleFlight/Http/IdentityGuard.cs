using System.Net.Http.Headers;

namespace Polly.SingleFlight.Http;

/// <summary>
/// Compares a flight's request as it was sent with the leader's, and finds an addition: a header, address, method or body that a handler inside
/// the flight added or changed. An addition may identify the leader, so followers do not get the response.
/// </summary>
internal sealed class IdentityGuard
{
    /// <summary>The headers that hold only credentials.</summary>
    public static readonly string[] Credentials = ["Authorization", "Proxy-Authorization", "Cookie", "DPoP", "X-Api-Key", "Api-Key"];

    private const string Host = "Host";

    /// <summary>The credentials that count as additions: all of <see cref="Credentials"/>, or none.</summary>
    private readonly string[] _credentials;

    private readonly HashSet<string> _harmless;
    private readonly bool _isAnyHostHarmless;

    /// <summary>The credentials that are excluded from the key, so they count as additions also if the caller set them.</summary>
    private readonly string[] _credentialsOutsideKey;

    public IdentityGuard(HttpSingleFlightStrategyOptions options)
    {
        _credentials = options.GuardCredentials ? Credentials : [];
        var excluded = new HashSet<string>(options.ExcludedHeaders, StringComparer.OrdinalIgnoreCase);
        _credentialsOutsideKey = [.. _credentials.Where(excluded.Contains)];
        _harmless = new HashSet<string>(options.HarmlessHeaders, StringComparer.OrdinalIgnoreCase);
        _isAnyHostHarmless = _harmless.Contains(Host);
        _harmless.UnionWith(excluded);
        _harmless.UnionWith(Credentials);
        _harmless.ExceptWith(_credentials);
    }

    /// <summary>Returns the credentials that are not in the key. Callers that differ in them must not share a response.</summary>
    /// <param name="isKeyGenerated">Whether the key was made from the request, so that all headers but the excluded ones are in it.</param>
    public IReadOnlyList<string> CredentialsOutsideKey(bool isKeyGenerated) => isKeyGenerated ? _credentialsOutsideKey : _credentials;

    /// <summary>Finds an addition in a request just before it is sent. Returns its name without its value, or null.</summary>
    /// <param name="call">The leader's request.</param>
    /// <param name="exchange">The flight's exchange.</param>
    /// <param name="sent">The request as it is sent.</param>
    public string? FindAtSending(HttpCall call, HttpExchange exchange, HttpRequestMessage sent) =>
        FindAddress(call, sent)
        ?? (sent.Method == call.Method ? null : "another method")
        ?? FindContent(call, exchange, sent)
        ?? FindHeader(call, sent);

    /// <summary>Finds another address. Only a route, which is the same for all callers, may change the address.</summary>
    private string? FindAddress(HttpCall call, HttpRequestMessage sent) =>
        Route.Of(sent) is { } route
            ? FindAddress(call.Uri, route.From) ?? FindAddress(route.To, sent.RequestUri)
            : FindAddress(call.Uri, sent.RequestUri);

    private string? FindAddress(Uri expected, Uri? sent)
    {
        if (ReferenceEquals(expected, sent))
        {
            return null;
        }

        if (sent is not { IsAbsoluteUri: true })
        {
            return "another address";
        }

        if (!_isAnyHostHarmless
            && Uri.Compare(expected, sent, UriComponents.SchemeAndServer | UriComponents.UserInfo, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) != 0)
        {
            return "another host, scheme or port";
        }

        return expected.PathAndQuery == sent.PathAndQuery ? null : "another path or query";
    }

    /// <summary>
    /// Finds an addition after the response arrived, in the flight's request and in the request of the response. If the observer did not see that
    /// one, another address counts as an addition: it may be a redirect, which removes <c>Authorization</c> from the request.
    /// </summary>
    public string? FindAfterSending(HttpCall call, HttpExchange exchange, HttpRequestMessage? last)
    {
        if (exchange.Observer.Addition is { } addition)
        {
            return addition;
        }

        var found = FindHeader(call, exchange.Request);
        if (found is null && last is not null && last != exchange.Request)
        {
            found = FindHeader(call, last);
        }

        var sent = last ?? exchange.Request;
        return found ?? (exchange.Observer.HasSeen(sent) ? null : FindAtSending(call, exchange, sent));
    }

    private string? FindContent(HttpCall call, HttpExchange exchange, HttpRequestMessage sent)
    {
        if (sent.Content is not { } content)
        {
            return null;
        }

        return FlightContent.IsOf(content, exchange.Content)
            ? FindHeader(call.ContentHeaders, content.Headers, call, sent)
            : "another body";
    }

    private string? FindHeader(HttpCall call, HttpRequestMessage sent) => FindHeader(call.Headers, sent.Headers, call, sent);

    /// <summary>Finds an added header. A clone has the order of the original, so most headers equal the one at the same index.</summary>
    private string? FindHeader(HeaderFields asked, HttpHeaders headers, HttpCall call, HttpRequestMessage sent)
    {
        var index = 0;
        foreach (var (name, values) in headers.NonValidated)
        {
            if ((!asked.IsAt(index++, name, values) && IsAddition(asked, new HeaderField(name, values), call, sent))
                || (_credentialsOutsideKey.Length > 0 && _credentialsOutsideKey.Contains(name, StringComparer.OrdinalIgnoreCase)))
            {
                return $"the header {name}";
            }
        }

        return null;
    }

    private bool IsAddition(HeaderFields asked, HeaderField field, HttpCall call, HttpRequestMessage sent)
    {
        if (_harmless.Contains(field.Name) || RequestBody.IsContentLength(field.Name))
        {
            return false;
        }

        return !HeaderField.MeanTheSame(asked.ValuesOf(field.Name), field.Values)
            && !(field.IsNamed(Host) && (IsHostOf(call.Uri, field) || IsHostOf(sent.RequestUri, field)));
    }

    /// <summary>Whether a <c>Host</c> header is the host of the URI, and so is no addition.</summary>
    private static bool IsHostOf(Uri? uri, in HeaderField field) =>
        uri is { IsAbsoluteUri: true }
        && field.Count == 1
        && (field[0].Equals(uri.Authority, StringComparison.OrdinalIgnoreCase)
            || field[0].Equals(uri.Host, StringComparison.OrdinalIgnoreCase)
            || field[0].Equals(uri.IdnHost, StringComparison.OrdinalIgnoreCase)
            || field[0].Equals($"{uri.IdnHost}:{uri.Port}", StringComparison.OrdinalIgnoreCase));
}
