using System.Globalization;

namespace HttpClientDemo;

/// <summary>What the command line asks for; the defaults are the story of the README.</summary>
internal sealed record DemoOptions
{
    public static string Usage { get; } = $"""
        Sends waves of callers, one millisecond apart over several regions, for access tokens to a slow token endpoint (WireMock.Net
        on loopback), shows the flights while they are in the air, and counts the requests of each wave that arrive at the endpoint.

        usage: dotnet run --project samples/HttpClientDemo [-- options]

          --only WAVE          one wave: {string.Join(", ", Wave.All.Select(static wave => wave.Name))}
          --without            all callers without single flight and cache: every caller sends its own request
          --no-cache           all callers with single flight and without a cache; the same as --only http
          --full               every wave, which takes about a minute
          --report FILE        draws the flights, from the library's telemetry, in an HTML page
          --callers N          number of callers, 1 to 10000 (default 1000); more than 1000 arrive within a second
          --regions A,B,...    which of Asia, Europe, Africa, America (default all)
          --unknown-region     asks for Atlantis first, which the endpoint refuses, once for everybody
          --fail-first         the endpoint answers the first request of each region with 503, so that retry shows
          --speed X            run X times as fast, 0.01 to 1000 (default 1)
          --help               show this text

        The view is redrawn on a terminal. It is plain lines where output is redirected or NO_COLOR is set.
        exit codes: 0 every caller got a token of its own business and region from as few requests as the wave promises,
        1 it did not hold, 2 bad options, 130 interrupted

        """;

    /// <summary>The waves to run, in their order.</summary>
    public IReadOnlyList<Wave> Waves { get; init; } = [.. Wave.All.Where(static wave => wave.IsInTour)];

    public int Callers { get; init; } = 1000;

    public IReadOnlyList<Region> Regions { get; init; } = Region.Supported;

    public double Speed { get; init; } = 1;

    public string? Report { get; init; }

    public bool FailFirst { get; init; }

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
                "--only" => options with { Waves = [ParseWave(Value())] },
                "--without" => options with { Waves = [Wave.Named("without")! with { MaxCallers = int.MaxValue }] },
                "--no-cache" => options with { Waves = [Wave.Named("http")!] },
                "--full" => options with { Waves = Wave.All },
                "--report" => options with { Report = ParseFile(Value()) },
                "--callers" => options with { Callers = (int)ParseNumber(option, Value(), NumberStyles.None, 1, 10_000) },
                "--regions" => options with { Regions = [.. Value().Split(',').Select(ParseRegion).Distinct()] },
                "--unknown-region" => options with { Waves = [Wave.Named("refused")!, .. options.Waves] },
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

    private static Wave ParseWave(string name) =>
        Wave.Named(name) ?? throw new FormatException($"--only takes {string.Join(", ", Wave.All.Select(static wave => wave.Name))}, not '{name}'");

    /// <summary>Refuses a file that cannot be written now, and not when all waves have run.</summary>
    private static string ParseFile(string name)
    {
        try
        {
            File.WriteAllText(name, "");
            return name;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FormatException($"--report cannot write '{name}'");
        }
    }
}
