namespace Polly.SingleFlight.Http;

/// <summary>The body of a flight's own request, with a reference to the content that it was copied from.</summary>
/// <param name="body">The bytes.</param>
/// <param name="origin">The content of the leader's request, which is compared and never read.</param>
internal sealed class FlightContent(byte[] body, HttpContent? origin) : ByteArrayContent(body)
{
    /// <summary>Whether a content is the other one, or a copy of it that a nested flight made.</summary>
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
