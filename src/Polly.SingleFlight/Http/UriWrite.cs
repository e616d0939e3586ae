namespace Polly.SingleFlight.Http;

/// <summary>
/// A request with an unsafe method while it runs. It forgets the flights of its URI when it begins and when it ends, so that a read does not join
/// a flight that may have an older state of the resource.
/// </summary>
internal sealed class UriWrite : IDisposable
{
    private static readonly HashSet<HttpMethod> s_safe =
        [HttpMethod.Get, HttpMethod.Head, HttpMethod.Options, HttpMethod.Trace, new HttpMethod("QUERY")];

    private readonly SingleFlightGroup _group;
    private readonly Uri _uri;

    private UriWrite(SingleFlightGroup group, Uri uri)
    {
        _group = group;
        _uri = uri;
        group.ForgetUri(uri);
    }

    /// <summary>Begins a write. Returns null for a request with a safe method (RFC 9110, 9.2.1).</summary>
    public static UriWrite? Begin(HttpRequestMessage request, SingleFlightGroup group) =>
        !s_safe.Contains(request.Method) && request.RequestUri is { IsAbsoluteUri: true } uri ? new UriWrite(group, uri) : null;

    public void Dispose() => _group.ForgetUri(_uri);
}
