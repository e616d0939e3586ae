namespace Polly.SingleFlight.Http;

/// <summary>
/// Finds credentials that a request was sent with although they were not in its key, because a handler inside the flight
/// added or changed them: the response is its leader's, and nobody else's.
/// </summary>
internal sealed class CredentialGuard(HttpSingleFlightStrategyOptions options)
{
    private static readonly string[] s_names = ["Authorization", "Proxy-Authorization", "Cookie", "DPoP", "X-Api-Key", "Api-Key"];

    private readonly string[] _outsideKey = [.. s_names.Where(name => options.ExcludedHeaders.Contains(name, StringComparer.OrdinalIgnoreCase))];

    /// <summary>Whether the sent request carries credentials that the caller did not ask with.</summary>
    public bool IsTripped(HttpCall call, HttpRequestMessage sent)
    {
        var headers = sent.Headers.NonValidated;
        foreach (var name in s_names)
        {
            if (headers.TryGetValues(name, out var values)
                && ((!call.HasCustomKey && _outsideKey.Contains(name))
                    || !HeaderField.HaveSameValues(call.Headers.ValuesOf(name), new HeaderField(name, values).Values)))
            {
                return true;
            }
        }

        return false;
    }
}
