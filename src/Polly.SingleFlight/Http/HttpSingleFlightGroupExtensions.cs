namespace Polly.SingleFlight.Http;

/// <summary>
/// What can be done with the HTTP flights of a <see cref="SingleFlightGroup"/>.
/// </summary>
public static class HttpSingleFlightGroupExtensions
{
    /// <summary>
    /// Makes newcomers who request this URI start afresh, whatever the key of their request. Callers already waiting are
    /// unaffected. Call it after the resource was changed by other means than a request through the same pipeline.
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
