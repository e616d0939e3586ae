namespace Polly.SingleFlight.Http;

/// <summary>Names of headers, in which upper and lower case do not differ (RFC 9110, 5.1). Most names are told from them by their length.</summary>
internal sealed class HeaderNames
{
    private readonly HashSet<string> _names;
    private readonly ulong _lengths;

    public HeaderNames(IEnumerable<string> names)
    {
        _names = new HashSet<string>(names, StringComparer.OrdinalIgnoreCase);
        foreach (var name in _names)
        {
            _lengths |= Bit(name);
        }
    }

    public bool Contains(string name) => (_lengths & Bit(name)) != 0 && _names.Contains(name);

    private static ulong Bit(string name) => 1UL << (name.Length & 63);
}
