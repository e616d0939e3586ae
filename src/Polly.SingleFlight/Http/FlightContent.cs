namespace Polly.SingleFlight.Http;

/// <summary>The body of a flight's own request, which knows the content that it is a copy of.</summary>
/// <param name="body">The bytes.</param>
/// <param name="origin">The content of the leader's request; it is compared and never read.</param>
internal sealed class FlightContent(byte[] body, HttpContent? origin) : ByteArrayContent(body)
{
    /// <summary>Whether a content is another or a copy of it, made by flights inside the one that sent the other.</summary>
    public static bool IsOf(HttpContent content, HttpContent? other)
    {
        for (HttpContent? next = content; next is not null; next = (next as FlightContent)?.Origin)
        {
            if (next == other)
            {
                return true;
            }
        }

        return false;
    }

    private HttpContent? Origin { get; } = origin;
}
