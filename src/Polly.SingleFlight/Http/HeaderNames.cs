namespace Polly.SingleFlight.Http;

/// <summary>A set of header names, compared without case (RFC 9110, 5.1). The length of a name rules out most names without a look-up.</summary>
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
