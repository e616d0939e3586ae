namespace Polly.SingleFlight.Http;

/// <summary>Reads the body of a request into memory, so that the content of the request can still be sent.</summary>
internal static class RequestBody
{
    public static bool IsContentLength(string name) => name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the content may be readable only once. It is not read.</summary>
    public static bool IsStream(HttpContent content) =>
        content is StreamContent || (content is MultipartContent parts && parts.Any(IsStream));

    /// <summary>
    /// Reads a body of a known length within the limit. Returns null if the content has another length or fails, so that the request runs alone.
    /// </summary>
    public static async ValueTask<byte[]?> ReadAsync(HttpContent content, int length, int limit, CancellationToken cancellationToken)
    {
        var body = new byte[length];
        using var target = new MemoryStream(body);
        try
        {
            if (!IsReadableAgain(content))
            {
                // The content keeps its bytes, to be sent. The overload without a token is waited for as well, because the content belongs to
                // the caller, which must not return while it is read (I6).
#if NET9_0_OR_GREATER
                await content.LoadIntoBufferAsync(limit, cancellationToken).ConfigureAwait(false);
#else
                await content.LoadIntoBufferAsync(limit).ConfigureAwait(false);
#endif
            }

            await content.CopyToAsync(target, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is NotSupportedException or HttpRequestException)
        {
            return null;
        }

        return target.Position == length ? body : null;
    }

    /// <summary>Whether the content is of a type that gives the same bytes at each reading. A derived type may not.</summary>
    private static bool IsReadableAgain(HttpContent content) =>
        content.GetType() is var type
        && (type == typeof(FlightContent)
            || type == typeof(FormUrlEncodedContent)
            || type == typeof(StringContent)
            || type == typeof(ByteArrayContent)
            || type == typeof(ReadOnlyMemoryContent));
}
