using System.Globalization;

namespace Polly.SingleFlight.Http;

/// <summary>What is known of a content's length without reading it.</summary>
/// <param name="Announced">What the other side said, if it can be read.</param>
/// <param name="Computed">What content that is in memory says of itself.</param>
internal readonly record struct ContentLengths(long? Announced, long? Computed)
{
    private const string Name = "Content-Length";

    public static ContentLengths Of(HttpContent content)
    {
        if (content.Headers.NonValidated.TryGetValues(Name, out var values))
        {
            var field = new HeaderField(Name, values);
            return field.Count == 1 && long.TryParse(field[0], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                ? new(length, null)
                : default;
        }

        // Asking leaves a header behind that was not there.
        var computed = content.Headers.ContentLength;
        content.Headers.Remove(Name);
        return new(null, computed);
    }
}
