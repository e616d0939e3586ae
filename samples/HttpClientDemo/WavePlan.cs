namespace HttpClientDemo;

/// <summary>A wave of the story: what it meets, and what it may cost.</summary>
internal sealed record WavePlan
{
    /// <summary>Its number and what the cache is like then; null for a wave without a cache.</summary>
    public string? Name { get; private init; }

    /// <summary>How far the clock of the cache is advanced before it.</summary>
    public TimeSpan Advance { get; private init; }

    /// <summary>How many requests reach the endpoint for each region, or null for any number.</summary>
    public int? Calls { get; private init; }

    /// <summary>Whether every caller is answered at once, from the cache.</summary>
    public bool IsCached { get; private init; }

    /// <summary>Whether the cache gets new tokens in the background, from those requests.</summary>
    public bool IsRefreshed { get; private init; }

    /// <summary>Whether the region that the endpoint refuses is asked for.</summary>
    public bool HasUnknownRegion { get; private init; }

    /// <summary>The waves of the story, in their order. Both endpoints hand out tokens for an hour.</summary>
    public static IReadOnlyList<WavePlan> Of(DemoOptions options)
    {
        var first = new WavePlan
        {
            Calls = options.Without ? null : options.FailFirst ? 2 : 1,
            HasUnknownRegion = options.UnknownRegion,
        };
        return options.IsCached
            ?
            [
                first with { Name = "wave 1 (cold)" },
                new() { Name = "wave 2 (warm)", Calls = 0, IsCached = true },
                new() { Name = "wave 3 (expired)", Calls = 1, Advance = TimeSpan.FromHours(1) },

                // Past 80 % of the lifetime, where a hit has the token refreshed, and before its end.
                new() { Name = "wave 4 (refresh ahead)", Calls = 1, Advance = TimeSpan.FromMinutes(50), IsCached = true, IsRefreshed = true },
            ]
            : [first];
    }
}
