namespace HttpClientDemo;

/// <summary>A region, and how long the endpoint takes to answer for it.</summary>
internal sealed record Region(string Name, TimeSpan Delay)
{
    public static IReadOnlyList<Region> Supported { get; } =
    [
        new("Asia", TimeSpan.FromSeconds(2)),
        new("Europe", TimeSpan.FromSeconds(3)),
        new("Africa", TimeSpan.FromSeconds(4)),
        new("America", TimeSpan.FromSeconds(5)),
    ];

    /// <summary>The region that the endpoint refuses. A refusal takes its time too, or there would be nothing to share.</summary>
    public static Region Unsupported { get; } = new("Atlantis", TimeSpan.FromSeconds(2));
}
