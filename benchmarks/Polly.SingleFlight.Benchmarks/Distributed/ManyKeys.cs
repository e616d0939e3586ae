using System.Diagnostics;
using Polly.SingleFlight.Benchmarks.Quick;
using StackExchange.Redis;
using static Polly.SingleFlight.Benchmarks.Distributed.Figures;

namespace Polly.SingleFlight.Benchmarks.Distributed;

/// <summary>Many keys in the air at the same time.</summary>
internal static class ManyKeys
{
    private const int Keys = 10_000;
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan s_work = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_arrival = TimeSpan.FromSeconds(10);

    public static async Task WriteAsync(string configuration, int nodeCount, TextWriter output)
    {
        output.WriteLine(Invariant($"## Many keys in the air at the same time, each asked for by {nodeCount} nodes"));
        output.WriteLine();
        output.WriteLine(Invariant($"The work takes {s_arrival.TotalSeconds:0} s, or {s_work.TotalSeconds:0.0} s if they come at once. All nodes and, if it is inside, the server share the cores: an answer later than the CommandTimeout is an execution more."));
        output.WriteLine();
        var table = new MarkdownTable("", "keys", "come within", "executions", "all ended after", "failed calls");

        // What polls or takes locks one after another is not made for so many.
        await AddAsync(Node.Kinds[0].Name, Node.Kinds[0].Create, Keys, s_arrival).ConfigureAwait(false);
        await AddAsync("the same, CommandTimeout 5 s", CreatePatient, Keys, s_arrival).ConfigureAwait(false);
        await AddAsync(Node.Kinds[0].Name, Node.Kinds[0].Create, Keys, TimeSpan.Zero).ConfigureAwait(false);
        await AddAsync("the same, CommandTimeout 5 s", CreatePatient, Keys, TimeSpan.Zero).ConfigureAwait(false);
        foreach (var (name, create) in Node.Kinds)
        {
            await AddAsync(name, create, Keys / 20, s_arrival).ConfigureAwait(false);
        }

        table.WriteTo(output);

        async Task AddAsync(string name, Func<ConnectionMultiplexer, string, Node> create, int keys, TimeSpan arrival)
        {
            var nodes = await Node.StartAsync(create, configuration, nodeCount).ConfigureAwait(false);
            var (executions, failed, took) = await CallManyAsync(nodes, keys, arrival).ConfigureAwait(false);
            table.Add(
                name,
                Invariant($"{keys}"),
                arrival == TimeSpan.Zero ? "at once" : Invariant($"{arrival.TotalSeconds:0} s"),
                Invariant($"{executions}"),
                took is { } time ? Invariant($"{time.TotalSeconds:0.0} s") : Invariant($"not after {s_longest.TotalSeconds:0} s"),
                Invariant($"{failed}"));
            await StopAsync(nodes).ConfigureAwait(false);
        }

        static Node CreatePatient(ConnectionMultiplexer connection, string scope) => new SingleFlightNode(connection, scope, new() { CommandTimeout = TimeSpan.FromSeconds(5) });
    }

    /// <summary>Has all nodes ask for all keys, evenly over a time, with work as long as that.</summary>
    private static async Task<(int Executions, int Failed, TimeSpan? Took)> CallManyAsync(Node[] nodes, int keys, TimeSpan arrival)
    {
        var (executions, failed) = (0, 0);
        var prefix = $"{Guid.NewGuid():N}";
        var calls = new List<Task>(keys * nodes.Length);
        var begin = Stopwatch.GetTimestamp();
        for (var key = 0; key < keys; key++)
        {
            while (Stopwatch.GetElapsedTime(begin) < arrival * key / keys)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(5)).ConfigureAwait(false);
            }

            var name = Invariant($"{prefix}{key}");
            calls.AddRange(nodes.Select(node => Task.Run(() => CallAsync(node, name))));
        }

        var all = Task.WhenAll(calls);
        var hasEnded = await Task.WhenAny(all, Task.Delay(s_longest)).ConfigureAwait(false) == all;
        return (executions, failed, hasEnded ? Stopwatch.GetElapsedTime(begin) : null);

        async Task CallAsync(Node node, string name)
        {
            try
            {
                await node.CallAsync(name, async () =>
                {
                    Interlocked.Increment(ref executions);
                    await Task.Delay(arrival == TimeSpan.Zero ? s_work : arrival).ConfigureAwait(false);
                    return "done";
                }).ConfigureAwait(false);
            }
            catch (Exception)
            {
                Interlocked.Increment(ref failed);
            }
        }
    }
}
