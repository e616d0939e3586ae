namespace Polly.SingleFlight.Http;

/// <summary>The body of a request that may be coalesced: in memory, and still readable for whoever sends the original.</summary>
internal static class RequestBody
{
    public static bool IsContentLength(string name) => name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether reading the content would use it up. It is not touched.</summary>
    public static bool IsStream(HttpContent content) =>
        content is StreamContent || (content is MultipartContent parts && parts.Any(IsStream));

    /// <summary>
    /// Reads a body of a known length that is within the limits. Null when the content turns out to have another length;
    /// then it does not take part, and fails or not when it is sent.
    /// </summary>
    public static async ValueTask<byte[]?> ReadAsync(HttpContent content, int length, CancellationToken cancellationToken)
    {
        if (content is not (ByteArrayContent or ReadOnlyMemoryContent))
        {
            // Other kinds may be readable only once; what they give is kept for whoever sends them.
#if NET9_0_OR_GREATER
            await content.LoadIntoBufferAsync(cancellationToken).ConfigureAwait(false);
#else
            await content.LoadIntoBufferAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
#endif
        }

        var body = new byte[length];
        using var target = new MemoryStream(body);
        try
        {
            await content.CopyToAsync(target, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is NotSupportedException or HttpRequestException { InnerException: NotSupportedException })
        {
            return null;
        }

        return target.Position == length ? body : null;
    }
}
