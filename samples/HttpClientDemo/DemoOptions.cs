namespace HttpClientDemo;

/// <summary>What the command line asks for; the defaults are the story of the README.</summary>
internal sealed record DemoOptions
{
    public int Callers { get; init; } = 1000;

    public IReadOnlyList<Region> Regions { get; init; } = Region.Supported;

    public double Speed { get; init; } = 1;

    public bool Without { get; init; }

    public bool NoCache { get; init; }

    /// <summary>Whether there is a cache, and with it more than one wave. Without single flight there is no story for it to be part of.</summary>
    public bool IsCached => !Without && !NoCache;

    public bool FailFirst { get; init; }

    public bool UnknownRegion { get; init; }

    public bool WireMock { get; init; }

    public bool Help { get; init; }

    /// <summary>
    /// The time between two callers: a millisecond, or less when there are so many that the wave would last longer than a second.
    /// A wave longer than the quickest region's answer would need a second flight: single flight is not a cache.
    /// </summary>
    public TimeSpan Gap => Scale(TimeSpan.FromSeconds(1) / Math.Max(1000, Callers));

    /// <summary>The time for one attempt. It grows with slow motion but does not shrink: the machine is no faster than it is.</summary>
    public TimeSpan Timeout => TimeSpan.FromSeconds(30) / Math.Min(1, Speed);

    /// <summary>A time of the story on the demo's clock.</summary>
    public TimeSpan Scale(TimeSpan time) => time / Speed;
}
