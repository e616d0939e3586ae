using System.Globalization;

namespace HttpClientDemo;

/// <summary>What the command line asks for; the defaults are the story of the README.</summary>
internal sealed record DemoOptions
{
    public const string Usage = """
        Sends waves of callers, one millisecond apart over several regions, for access tokens to a slow token endpoint (WireMock.Net
        on loopback), and counts the requests of each wave that arrive there: one for each region when the cache is cold or expired,
        none when it is warm, and one for each region in the background when it refreshes ahead.

        usage: dotnet run --project samples/HttpClientDemo [-- options]

          --no-cache           single flight without a cache, one wave
          --without            neither single flight nor cache, one wave: every caller sends its own request
          --callers N          number of callers, 1 to 10000 (default 1000); more than 1000 arrive within a second
          --regions A,B,...    which of Asia, Europe, Africa, America (default all)
          --unknown-region     the first wave also asks for Atlantis, which the endpoint refuses, once for everybody
          --fail-first         the endpoint answers the first request of each region with 503, so that retry shows
          --speed X            run X times as fast, 0.01 to 1000 (default 1)
          --help               show this text

        exit codes: 0 every caller got a token of its own business and region from as few requests as above, 1 it did not hold,
        2 bad options, 130 interrupted

        """;

    public int Callers { get; init; } = 1000;

    public IReadOnlyList<Region> Regions { get; init; } = Region.Supported;

    public double Speed { get; init; } = 1;

    public bool HasSingleFlight { get; init; } = true;

    public bool HasCache { get; init; } = true;

    public bool FailFirst { get; init; }

    public bool UnknownRegion { get; init; }

    public bool Help { get; init; }

    /// <summary>
    /// The time between two callers. A wave lasts a second at most: one that is longer than the quickest region's answer would need
    /// a second flight, because single flight is not a cache.
    /// </summary>
    public TimeSpan Gap => Scale(TimeSpan.FromSeconds(1) / Math.Max(1000, Callers));

    /// <summary>The time for one attempt. It grows in slow motion but does not shrink: the machine is no faster than it is.</summary>
    public TimeSpan AttemptTimeout => TimeSpan.FromSeconds(30) / Math.Min(1, Speed);

    /// <summary>A time of the story at the speed of this run.</summary>
    public TimeSpan Scale(TimeSpan time) => time / Speed;

    /// <exception cref="FormatException">The arguments are not understood; the message says which and why.</exception>
    public static DemoOptions Parse(IEnumerable<string> args)
    {
        var options = new DemoOptions();
        var rest = new Queue<string>(args);
        while (rest.TryDequeue(out var option))
        {
            string Value() => rest.TryDequeue(out var value) ? value : throw new FormatException($"{option} needs a value");
            options = option switch
            {
                "--without" => options with { HasSingleFlight = false, HasCache = false },
                "--no-cache" => options with { HasCache = false },
                "--callers" => options with { Callers = (int)ParseNumber(option, Value(), NumberStyles.None, 1, 10_000) },
                "--regions" => options with { Regions = [.. Value().Split(',').Select(ParseRegion).Distinct()] },
                "--unknown-region" => options with { UnknownRegion = true },
                "--fail-first" => options with { FailFirst = true },
                "--speed" => options with { Speed = ParseNumber(option, Value(), NumberStyles.Float, 0.01, 1000) },
                "--help" or "-h" => options with { Help = true },
                _ => throw new FormatException($"unknown option '{option}'"),
            };
        }

        return options;
    }

    private static double ParseNumber(string option, string value, NumberStyles styles, double min, double max) =>
        double.TryParse(value, styles, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new FormatException($"{option} takes a number from {min} to {max}, not '{value}'");

    private static Region ParseRegion(string name) =>
        Region.Supported.FirstOrDefault(region => region.Name.Equals(name.Trim(), StringComparison.OrdinalIgnoreCase))
        ?? throw new FormatException($"--regions takes {string.Join(", ", Region.Supported.Select(region => region.Name))}, not '{name}'");
}
