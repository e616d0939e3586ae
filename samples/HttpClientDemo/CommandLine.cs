using System.Globalization;

namespace HttpClientDemo;

/// <summary>Reads the command line.</summary>
internal static class CommandLine
{
    public const string Usage = """
        Sends waves of callers for access tokens, one millisecond apart over several regions, to a slow token endpoint on
        loopback, and shows how many requests of each wave reached the endpoint. Tokens are cached, and what is not in the
        cache is requested in single flight, so they are

          wave 1 (cold)           one for each region
          wave 2 (warm)           none
          wave 3 (expired)        one for each region; the clock of the cache is advanced, nobody sleeps
          wave 4 (refresh ahead)  one for each region, in the background: every caller gets the cached token at once

        usage: dotnet run --project samples/HttpClientDemo [-- options]

          --no-cache           no cache, and a single wave: one request for each region
          --without            no single flight and no cache, and a single wave: every caller sends its own request
          --callers N          number of callers, 1 to 100000 (default 1000); more than 1000 arrive within a second
          --regions A,B,...    which of America, Europe, Africa, Asia (default all)
          --unknown-region     also ask for Atlantis, which the endpoint refuses: one error for all its callers of
                               the first wave, of which nothing is cached
          --fail-first         the endpoint answers the first request of each region with 503, so that retry shows
          --wiremock           the endpoint is a WireMock server, which counts what reaches it; needs Java and 'npm ci'
          --speed X            run X times as fast, 0.01 to 1000 (default 1)
          --help               show this text

        exit codes: 0 every caller got a token of its own region, from as many requests as above (two instead of one in the
        first wave with --fail-first; any number with --without), 1 it did not hold, 2 bad options, 3 WireMock cannot be started,
        130 interrupted

        """;

    /// <exception cref="CommandLineException">The arguments are not understood; the message says which and why.</exception>
    public static DemoOptions Parse(IEnumerable<string> args)
    {
        var options = new DemoOptions();
        var rest = new Queue<string>(args);
        while (rest.TryDequeue(out var option))
        {
            options = option switch
            {
                "--without" => options with { Without = true },
                "--callers" => options with { Callers = ParseCallers(ValueOf(option, rest)) },
                "--regions" => options with { Regions = ParseRegions(ValueOf(option, rest)) },
                "--no-cache" => options with { NoCache = true },
                "--unknown-region" => options with { UnknownRegion = true },
                "--fail-first" => options with { FailFirst = true },
                "--wiremock" => options with { WireMock = true },
                "--speed" => options with { Speed = ParseSpeed(ValueOf(option, rest)) },
                "--help" or "-h" => options with { Help = true },
                _ => throw new CommandLineException($"unknown option '{option}'"),
            };
        }

        return options;
    }

    private static string ValueOf(string option, Queue<string> rest) =>
        rest.TryDequeue(out var value) ? value : throw new CommandLineException($"{option} needs a value");

    private static int ParseCallers(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var callers) && callers is >= 1 and <= 100_000
            ? callers
            : throw new CommandLineException($"--callers takes a whole number from 1 to 100000, not '{value}'");

    private static double ParseSpeed(string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var speed) && speed is >= 0.01 and <= 1000
            ? speed
            : throw new CommandLineException($"--speed takes a number from 0.01 to 1000, not '{value}'");

    private static List<Region> ParseRegions(string value) =>
        [.. value.Split(',', StringSplitOptions.TrimEntries).Select(ParseRegion).Distinct()];

    private static Region ParseRegion(string name) =>
        Region.Supported.FirstOrDefault(region => region.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new CommandLineException(
            $"--regions takes {string.Join(", ", Region.Supported.Select(region => region.Name))}, not '{name}'");
}
