namespace TwoNodes;

/// <summary>A region, and how long the endpoint takes to answer for it, once all have asked.</summary>
internal sealed record Region(string Name, TimeSpan Delay)
{
    public static IReadOnlyList<Region> All { get; } =
    [
        new("Asia", TimeSpan.FromSeconds(1.5)),
        new("Europe", TimeSpan.FromSeconds(2)),
        new("Africa", TimeSpan.FromSeconds(2.5)),
        new("America", TimeSpan.FromSeconds(3)),
    ];

    public static Region Slowest => All[^1];
}
