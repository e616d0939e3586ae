namespace Polly.SingleFlight.Http;

/// <summary>
/// Extensions of <see cref="SingleFlightGroup"/> for HTTP.
/// </summary>
public static class HttpSingleFlightGroupExtensions
{
    /// <summary>
    /// Forgets the flights of a URI, whatever their keys: later requests for it start new flights. Callers that already wait are not affected. Call
    /// it after the resource was changed by other means than a request through the same pipeline.
    /// </summary>
    /// <param name="group">The group.</param>
    /// <param name="uri">The absolute URI of the requests, before redirects; its fragment does not count.</param>
    /// <returns><see langword="true"/> if there was a flight of that URI.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="group"/> or <paramref name="uri"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException"><paramref name="uri"/> is not absolute.</exception>
    public static bool ForgetUri(this SingleFlightGroup group, Uri uri)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(uri);
        if (!uri.IsAbsoluteUri)
        {
            throw new ArgumentException("The URI must be absolute.", nameof(uri));
        }

        return group.Table.ForgetWhere(
            static (flight, text) => flight.Attachment is HttpCall call && call.UriText == text, UriText.Of(uri));
    }
}
