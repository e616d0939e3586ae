using System.Globalization;

namespace Polly.SingleFlight.Soak;

/// <summary>What a soak is to do.</summary>
public sealed record SoakOptions
{
    /// <summary>The help text of the console application.</summary>
    public const string Usage =
        """
        Polly.SingleFlight.Soak: a seeded random soak with an oracle.

          --seconds N    how long to run (default 60)
          --seed N       the seed of every random decision (default 1)
          --tasks N      how many callers run at a time (default 48)
          --keys N       how many keys each arena has (default 3)
          --arena NAME   only this arena: NAMES
          --drain N      how many seconds everybody has to come back after the run (default 30)
          --help         this text

        Exit code: 0 without violations, 1 with violations, 2 when the options are wrong.
        """;

    /// <summary>Gets the names of the arenas.</summary>
    public static IReadOnlyList<string> Arenas { get; } = [.. ArenaCatalog.Names];

    /// <summary>Gets how long to run.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Gets the seed of every random decision.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Gets how many callers run at a time.</summary>
    public int Tasks { get; init; } = 48;

    /// <summary>Gets how many keys each arena has.</summary>
    public int Keys { get; init; } = 3;

    /// <summary>Gets the only arena to run, or null for all.</summary>
    public string? Arena { get; init; }

    /// <summary>Gets how long callers, callbacks and results may take to come to an end after the run.</summary>
    public TimeSpan DrainLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Reads the command line; an error, or null when it is fine.</summary>
    public static string? TryParse(IReadOnlyList<string> arguments, out SoakOptions options)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        options = new SoakOptions();
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var name = arguments[i];
            if (name is not ("--seconds" or "--seed" or "--tasks" or "--keys" or "--arena" or "--drain"))
            {
                return $"Unknown option '{name}'.";
            }

            if (i + 1 == arguments.Count)
            {
                return $"Option '{name}' needs a value.";
            }

            var value = arguments[i + 1];
            if (name == "--arena")
            {
                if (!ArenaCatalog.Names.Contains(value))
                {
                    return $"There is no arena '{value}'; there are {string.Join(", ", ArenaCatalog.Names)}.";
                }

                options = options with { Arena = value };
                continue;
            }

            if (!int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                || (name != "--seed" && number < 1))
            {
                return $"Option '{name}' needs a {(name == "--seed" ? "" : "positive ")}whole number, not '{value}'.";
            }

            options = name switch
            {
                "--seconds" => options with { Duration = TimeSpan.FromSeconds(number) },
                "--seed" => options with { Seed = number },
                "--drain" => options with { DrainLimit = TimeSpan.FromSeconds(number) },
                "--tasks" => options with { Tasks = number },
                _ => options with { Keys = number },
            };
        }

        return null;
    }
}
