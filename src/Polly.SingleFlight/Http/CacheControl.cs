namespace Polly.SingleFlight.Http;

/// <summary>What is read of <c>Cache-Control</c> (RFC 9111, 5.2), from values that may be malformed.</summary>
internal static class CacheControl
{
    /// <summary>Whether there is a <c>no-store</c>. In doubt there is: what only begins like it counts, and so does one inside quotes.</summary>
    public static bool IsNoStore(in HeaderField field)
    {
        for (var i = 0; i < field.Count; i++)
        {
            var rest = field[i].AsSpan();
            while (true)
            {
                var comma = rest.IndexOf(',');
                var directive = (comma < 0 ? rest : rest[..comma]).TrimStart(" \t\"");
                if (directive.StartsWith("no-store", StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }

                if (comma < 0)
                {
                    break;
                }

                rest = rest[(comma + 1)..];
            }
        }

        return false;
    }
}
