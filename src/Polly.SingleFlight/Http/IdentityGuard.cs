using System.Net.Http.Headers;

namespace Polly.SingleFlight.Http;

/// <summary>
/// Finds what a request went out with although its caller did not ask with it: a header, another address, another method or body that a
/// handler inside the flight put there. It may say who the leader is, so the response is the leader's and nobody else's.
/// </summary>
internal sealed class IdentityGuard
{
    /// <summary>Headers that hold credentials and nothing else.</summary>
    public static readonly string[] Credentials = ["Authorization", "Proxy-Authorization", "Cookie", "DPoP", "X-Api-Key", "Api-Key"];

    private const string Host = "Host";

    /// <summary>Credentials that are guarded: all or none.</summary>
    private readonly string[] _credentials;

    private readonly HashSet<string> _harmless;
    private readonly bool _isAnyHostHarmless;

    /// <summary>Credentials that are excluded from the key, so that they always count as added.</summary>
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

    /// <summary>The credentials that callers of one key may differ in, although they may not share a response then.</summary>
    /// <param name="isKeyGenerated">Whether the key was made from the request, so that all but the excluded headers are in it.</param>
    public IReadOnlyList<string> CredentialsOutside(bool isKeyGenerated) => isKeyGenerated ? _credentialsOutsideKey : _credentials;

    /// <summary>Judges a request just before it is sent. Null when nothing was added, or what was, without its value.</summary>
    /// <param name="call">The request as its caller asked.</param>
    /// <param name="exchange">The flight's exchange.</param>
    /// <param name="sent">The request as it goes out.</param>
    public string? FindAtSending(HttpCall call, HttpExchange exchange, HttpRequestMessage sent) =>
        FindAddress(call, sent)
        ?? (sent.Method == call.Method ? null : "another method")
        ?? FindContent(call, exchange, sent)
        ?? FindHeader(call, sent);

    /// <summary>Judges the address. A route that is the same for all callers may have changed it, and nobody else.</summary>
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
    /// Judges a request after it was sent, by the flight's own message and the one that the response refers to. Where nobody saw it go out, a
    /// changed address may be a redirect, which takes <c>Authorization</c> off again, so it cannot be known what the request was sent with.
    /// </summary>
    public string? FindAfterwards(HttpCall call, HttpExchange exchange, HttpRequestMessage? last)
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

    /// <summary>Headers of a clone come in the order of the original, so most are found where they are expected.</summary>
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

    /// <summary>A host that the URI says anyway tells nothing new.</summary>
    private static bool IsHostOf(Uri? uri, in HeaderField field) =>
        uri is { IsAbsoluteUri: true }
        && field.Count == 1
        && (field[0].Equals(uri.Authority, StringComparison.OrdinalIgnoreCase)
            || field[0].Equals(uri.Host, StringComparison.OrdinalIgnoreCase)
            || field[0].Equals(uri.IdnHost, StringComparison.OrdinalIgnoreCase)
            || field[0].Equals($"{uri.IdnHost}:{uri.Port}", StringComparison.OrdinalIgnoreCase));
}
