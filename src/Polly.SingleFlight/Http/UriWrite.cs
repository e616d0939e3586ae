namespace Polly.SingleFlight.Http;

/// <summary>
/// A request that may change what others read, on its way: it forgets the flights of its URI when it begins and when it ends, so
/// that a read which starts after it, or while it is under way, never joins an older one.
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

    /// <summary>Begins the write; null for a request with a safe method (RFC 9110, 9.2.1).</summary>
    public static UriWrite? Begin(HttpRequestMessage request, SingleFlightGroup group) =>
        !s_safe.Contains(request.Method) && request.RequestUri is { IsAbsoluteUri: true } uri ? new UriWrite(group, uri) : null;

    public void Dispose() => _group.ForgetUri(_uri);
}
