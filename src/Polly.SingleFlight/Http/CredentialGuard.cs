namespace Polly.SingleFlight.Http;

/// <summary>
/// Finds credentials that a request was sent with although they were not in its key, because a handler inside the flight
/// added or changed them: the response is its leader's, and nobody else's.
/// </summary>
internal sealed class CredentialGuard(HttpSingleFlightStrategyOptions options)
{
    public static readonly string[] Names = ["Authorization", "Proxy-Authorization", "Cookie", "DPoP", "X-Api-Key", "Api-Key"];

    private readonly string[] _outsideKey = [.. Names.Where(name => options.ExcludedHeaders.Contains(name, StringComparer.OrdinalIgnoreCase))];

    public bool IsTripped(HttpCall call, HttpExchange exchange, HttpRequestMessage? last)
    {
        if (IsTripped(call, exchange.Request) || (last is not null && last != exchange.Request && IsTripped(call, last)))
        {
            return true;
        }

        // A redirect takes Authorization off again, so what is on the message afterwards says nothing; only who saw it go out does.
        return exchange.Witness.HasSeen
            ? exchange.Witness.IsTripped
            : HasGoneElsewhere(call, exchange.Request) || (last is not null && HasGoneElsewhere(call, last));
    }

    /// <summary>Whether the request carries credentials that the caller did not ask with, in its headers or in its query.</summary>
    public bool IsTrippedAtSending(HttpCall call, HttpRequestMessage sent) =>
        IsTripped(call, sent) || sent.RequestUri is not { IsAbsoluteUri: true } uri || uri.PathAndQuery != call.Uri.PathAndQuery;

    private static bool HasGoneElsewhere(HttpCall call, HttpRequestMessage sent) =>
        sent.RequestUri is not { IsAbsoluteUri: true } uri || UriText.Of(uri) != call.UriText;

    private bool IsTripped(HttpCall call, HttpRequestMessage sent)
    {
        var headers = sent.Headers.NonValidated;
        foreach (var name in Names)
        {
            if (headers.TryGetValues(name, out var values)
                && (_outsideKey.Contains(name)
                    || !HeaderField.MeanTheSame(call.Headers.ValuesOf(name), new HeaderField(name, values).Values)))
            {
                return true;
            }
        }

        return false;
    }
}
