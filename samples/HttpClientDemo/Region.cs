namespace HttpClientDemo;

/// <summary>A region that tokens are asked for, and how long the endpoint takes to answer for it.</summary>
internal sealed record Region(string Name, TimeSpan Delay)
{
    /// <summary>The regions that the endpoint hands out tokens for.</summary>
    public static IReadOnlyList<Region> Supported { get; } =
    [
        new("America", TimeSpan.FromSeconds(5)),
        new("Europe", TimeSpan.FromSeconds(3)),
        new("Africa", TimeSpan.FromSeconds(4)),
        new("Asia", TimeSpan.FromSeconds(2)),
    ];

    /// <summary>The region that is refused. A refusal takes its time too, or there would be nothing to share.</summary>
    public static Region Unsupported { get; } = new("Atlantis", TimeSpan.FromSeconds(2));

    /// <summary>Whether the endpoint hands out tokens for this region.</summary>
    public bool IsSupported => Supported.Contains(this);
}
