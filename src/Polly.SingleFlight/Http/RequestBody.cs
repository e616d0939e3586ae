namespace Polly.SingleFlight.Http;

/// <summary>The body of a request that may be coalesced: in memory, and still readable for whoever sends the original.</summary>
internal static class RequestBody
{
    public static bool IsContentLength(string name) => name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether reading the content would use it up. It is not touched.</summary>
    public static bool IsStream(HttpContent content) =>
        content is StreamContent || (content is MultipartContent parts && parts.Any(IsStream));

    /// <summary>
    /// Reads a body of a known length that is within the limit. Null when the content turns out to have another length;
    /// then it does not take part, and fails or not when it is sent.
    /// </summary>
    public static async ValueTask<byte[]?> ReadAsync(HttpContent content, int length, int limit, CancellationToken cancellationToken)
    {
        var body = new byte[length];
        using var target = new MemoryStream(body);
        try
        {
            if (!IsReadableAgain(content))
            {
                // What it gives is kept for whoever sends it. The older overload cannot be cancelled, and must be waited for all the
                // same: content that is being read is its caller's, who would have left (I6).
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

    /// <summary>Whether the content is of a type that is known to give the same whenever it is read; a derived type may do otherwise.</summary>
    private static bool IsReadableAgain(HttpContent content) =>
        content.GetType() is var type
        && (type == typeof(FlightContent)
            || type == typeof(FormUrlEncodedContent)
            || type == typeof(StringContent)
            || type == typeof(ByteArrayContent)
            || type == typeof(ReadOnlyMemoryContent));
}
