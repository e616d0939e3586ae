namespace Polly.SingleFlight.Http;

/// <summary>Reads <c>Cache-Control</c> (RFC 9111, 5.2) from values that may be malformed.</summary>
internal static class CacheControl
{
    /// <summary>
    /// Whether a directive begins with <c>no-store</c>. One inside quotes counts too, as the value is malformed.
    /// </summary>
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
