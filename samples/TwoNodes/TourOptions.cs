namespace TwoNodes;

/// <summary>What the command line asks for.</summary>
internal sealed record TourOptions
{
    public const string Usage = """
        Starts several nodes of a service, each a process of its own, in front of one slow token endpoint (WireMock.Net on loopback),
        and counts the requests that arrive there: one for each region, for all nodes together, as long as the server (Garnet, or
        Redis) is there; one for each region and node while it is not. Nothing that is killed meanwhile fails a caller of another node.

        usage: dotnet run --project samples/TwoNodes [-- options]

          --nodes N            how many nodes, 2 to 8 (default 3)
          --redis HOST:PORT    a Redis, Valkey or Garnet that runs already, instead of the Garnet in this process; it is not stopped
          --kill-node          of the faults only this one: the node whose call is in flight is killed
          --kill-server        of the faults only this one: the server is stopped while calls are in flight, and started again
          --help               show this text

        exit codes: 0 everything was as expected, 1 something was not, 2 bad options, 130 interrupted

        """;

    public int Nodes { get; init; } = 3;

    public string? Redis { get; init; }

    /// <summary>Whether a node is killed.</summary>
    public bool KillsNode { get; init; }

    /// <summary>Whether the server is stopped.</summary>
    public bool KillsServer { get; init; }

    public bool Help { get; init; }

    /// <exception cref="FormatException">The arguments are not understood; the message says which and why.</exception>
    public static TourOptions Parse(IEnumerable<string> args)
    {
        var options = new TourOptions();
        var rest = new Queue<string>(args);
        while (rest.TryDequeue(out var option))
        {
            string Value() => rest.TryDequeue(out var value) ? value : throw new FormatException($"{option} needs a value");
            options = option switch
            {
                "--nodes" => options with { Nodes = ParseNodes(Value()) },
                "--redis" => options with { Redis = Value() },
                "--kill-node" => options with { KillsNode = true },
                "--kill-server" => options with { KillsServer = true },
                "--help" or "-h" => options with { Help = true },
                _ => throw new FormatException($"unknown option '{option}'"),
            };
        }

        if (options is { Redis: not null, KillsServer: true })
        {
            throw new FormatException("--kill-server is for the Garnet in this process, not for the server of --redis");
        }

        // Without a choice there is everything that can be shown.
        return options is { KillsNode: false, KillsServer: false } ? options with { KillsNode = true, KillsServer = options.Redis is null } : options;
    }

    private static int ParseNodes(string value) => int.TryParse(value, out var nodes) && nodes is >= 2 and <= 8
        ? nodes
        : throw new FormatException($"--nodes takes a number from 2 to 8, not '{value}'");
}
