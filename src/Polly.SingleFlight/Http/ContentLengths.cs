using System.Globalization;

namespace Polly.SingleFlight.Http;

/// <summary>The length of a content, as far as it is known without reading the content.</summary>
/// <param name="Announced">The value of the header <c>Content-Length</c>; null if it is missing or malformed.</param>
/// <param name="Computed">The length that content in memory computes; null if it cannot, or if there is a header.</param>
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

        // The getter adds the computed header, which the response did not have.
        var computed = content.Headers.ContentLength;
        content.Headers.Remove(Name);
        return new(null, computed);
    }
}
