using System.Globalization;

namespace Polly.SingleFlight.Redis.Soak;

/// <summary>What a soak is to do.</summary>
internal sealed record SoakOptions
{
    public const string Usage =
        """
        Polly.SingleFlight.Redis.Soak: a seeded random soak of several node processes over one server, with an oracle and faults.

          --seconds N    how long to run (default 60)
          --seed N       the seed of every random decision (default 1)
          --processes N  how many nodes, 2 to 16 (default 4)
          --keys N       how many keys (default 4)
          --server NAME  redis, the redis-server of the PATH (default), or garnet
          --faults NAME  only this kind of fault: NAMES; or none
          --help         this text

        Exit code: 0 without violations, 1 with violations, 2 when the options are wrong.
        """;

    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(60);

    public int Seed { get; init; } = 1;

    public int Processes { get; init; } = 4;

    public int Keys { get; init; } = 4;

    public bool IsRedis { get; init; } = true;

    /// <summary>The kinds of faults that are made.</summary>
    public IReadOnlyList<FaultKind> Faults { get; init; } = Enum.GetValues<FaultKind>();

    public bool Help { get; init; }

    /// <exception cref="FormatException">The arguments are not understood; the message says which and why.</exception>
    public static SoakOptions Parse(IEnumerable<string> args)
    {
        var options = new SoakOptions();
        var rest = new Queue<string>(args);
        while (rest.TryDequeue(out var option))
        {
            string Value() => rest.TryDequeue(out var value) ? value : throw new FormatException($"{option} needs a value");
            options = option switch
            {
                "--seconds" => options with { Duration = TimeSpan.FromSeconds(Number(option, Value(), 1, int.MaxValue)) },
                "--seed" => options with { Seed = Number(option, Value(), int.MinValue, int.MaxValue) },
                "--processes" => options with { Processes = Number(option, Value(), 2, 16) },
                "--keys" => options with { Keys = Number(option, Value(), 1, 1000) },
                "--server" => options with { IsRedis = Server(Value()) },
                "--faults" => options with { Faults = FaultsOf(Value()) },
                "--help" => options with { Help = true },
                _ => throw new FormatException($"unknown option '{option}'"),
            };
        }

        return options;
    }

    private static int Number(string option, string value, int min, int max) =>
        int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new FormatException($"{option} takes a whole number from {min} to {max}, not '{value}'");

    private static bool Server(string name) => name switch
    {
        "redis" => true,
        "garnet" => false,
        _ => throw new FormatException($"--server takes redis or garnet, not '{name}'"),
    };

    private static FaultKind[] FaultsOf(string name) =>
        name == "none" ? []
        : Enum.TryParse<FaultKind>(name, ignoreCase: true, out var kind) ? [kind]
        : throw new FormatException($"--faults takes none or one of {string.Join(", ", Enum.GetNames<FaultKind>())}, not '{name}'");
}
