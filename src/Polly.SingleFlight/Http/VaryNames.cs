namespace Polly.SingleFlight.Http;

/// <summary>Reads the names of the request headers that a response varies by (RFC 9110, 12.5.5).</summary>
internal static class VaryNames
{
    public static IEnumerable<string> Of(HeaderField vary)
    {
        for (var i = 0; i < vary.Count; i++)
        {
            foreach (var name in vary[i].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                yield return name;
            }
        }
    }
}
