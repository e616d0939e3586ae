namespace HttpClientDemo;

/// <summary>Callers who arrive one after the other, what they find, and how many calls they may make.</summary>
/// <param name="Name">Name for --only.</param>
/// <param name="Title">Name in results and in the table.</param>
/// <param name="Headline">What is about to happen.</param>
internal sealed record Wave(string Name, string Title, string Headline)
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromHours(1);

    public static IReadOnlyList<Wave> All { get; } =
    [
        new("without", "without single flight", "Nothing is shared: each caller sends a request of its own.")
        {
            Sharing = Sharing.Nothing, CallsPerRegion = null, MaxCallers = 200, IsInTour = true,
        },
        new("cold", "wave 1 (cold)", "The cache is empty. The first caller of a region makes the call, and the others join it.") { IsInTour = true },
        new("warm", "wave 2 (warm)", "The tokens are cached: nobody waits.")
        {
            CallsPerRegion = 0, NobodyWaits = true, NeedsTokens = true, IsInTour = true,
        },
        new("expired", "wave 3 (expired)", "The clock is put forward by an hour: all tokens have expired, and callers join again.")
        {
            TimeBefore = s_lifetime, NeedsTokens = true, IsInTour = true,
        },
        new("refresh", "wave 4 (refresh ahead)", "50 minutes later the tokens are still valid: callers get them, and refreshes begin behind their backs.")
        {
            // Past 80 % of the lifetime, where a hit has the token refreshed, and before its end.
            TimeBefore = TimeSpan.FromMinutes(50), NobodyWaits = true, NeedsTokens = true, RefreshesTokens = true, IsInTour = true,
        },
        new("http", "HttpClient alone", "No cache, and one line on the HttpClient: requests that are equal and in flight are shared.") { Sharing = Sharing.Http },
        new("leaving", "callers leave", "Every second caller loses patience after half a second. The calls go on for the others.")
        {
            Sharing = Sharing.Http, Patience = TimeSpan.FromSeconds(0.5),
        },
        new("retry", "first answer is 503", "The endpoint fails once for each region. Retry runs inside: once for all callers.")
        {
            Sharing = Sharing.Http, FailsFirst = true,
        },
        new("refused", Region.Unsupported.Name, "The endpoint does not know the region. One call is refused, and all callers learn it.")
        {
            MaxCallers = 250, IsRefused = true,
        },
    ];

    public Sharing Sharing { get; init; } = Sharing.Cache;

    /// <summary>Calls that the wave makes for each region; null for one by each caller.</summary>
    public int? CallsPerRegion { get; init; } = 1;

    public int MaxCallers { get; init; } = int.MaxValue;

    /// <summary>How far the clock of the cache is advanced before the wave.</summary>
    public TimeSpan TimeBefore { get; init; }

    /// <summary>How long every second caller waits; zero if all wait to the end.</summary>
    public TimeSpan Patience { get; init; }

    public bool IsInTour { get; init; }

    public bool NeedsTokens { get; init; }

    public bool RefreshesTokens { get; init; }

    public bool NobodyWaits { get; init; }

    public bool FailsFirst { get; init; }

    public bool IsRefused { get; init; }

    public static Wave? Named(string name) => All.FirstOrDefault(wave => wave.Name == name);
}
