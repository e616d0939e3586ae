namespace Polly.SingleFlight.WireMock;

/// <summary>Which POST requests to count.</summary>
/// <param name="Path">The path, from its first slash.</param>
public sealed record RequestPattern(string Path)
{
    /// <summary>Fields of the form that must have this value; others do not matter.</summary>
    public IReadOnlyDictionary<string, string> Form { get; init; } = new Dictionary<string, string>();

    /// <summary>Headers that must have this value; others do not matter.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();
}
