using System.Diagnostics;
using System.Globalization;
using Polly.SingleFlight.Benchmarks.Quick;
using StackExchange.Redis;

namespace Polly.SingleFlight.Benchmarks.Distributed;

/// <summary>Several nodes of a service over one server, beside what people use today. Nodes are connections of their own in this process.</summary>
internal static class DistributedRun
{
    private const int Nodes = 8;
    private const int Rounds = 40;
    private const int ManyKeys = 10_000;
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan s_work = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_arrival = TimeSpan.FromSeconds(10);

    /// <param name="args">The address of a server; none for one inside the process.</param>
    /// <param name="output">Where the tables are written.</param>
    public static async Task<int> RunAsync(string[] args, TextWriter output)
    {
        var isManyOnly = args is ["--many", ..];
        args = isManyOnly ? args[1..] : args;
        if (args is not ([] or ["--redis", _]))
        {
            output.WriteLine("Usage: --distributed [--many] [--redis host:port]");
            return 1;
        }

        using var embedded = args.Length == 0 ? EmbeddedServer.Start() : null;
        var configuration = embedded?.Configuration ?? args[1];
        output.WriteLine($"{(embedded is null ? "A Redis server" : "Garnet inside this process")}, {Environment.ProcessorCount} cores, {Nodes} nodes. Compare ratios and counts, not times.");
        output.WriteLine();
        if (!isManyOnly)
        {
            await WriteUncontendedAsync(configuration, output).ConfigureAwait(false);
            await WriteFanInAsync(configuration, output).ConfigureAwait(false);
        }

        await WriteManyKeysAsync(configuration, output).ConfigureAwait(false);
        if (!isManyOnly)
        {
            await WriteServerDownAsync(output).ConfigureAwait(false);
        }

        return 0;
    }

    private static async Task WriteUncontendedAsync(string configuration, TextWriter output)
    {
        output.WriteLine("## A call that nobody shares");
        output.WriteLine();
        var table = new MarkdownTable("a new key each time, immediate work", "median", "of a PING", "commands of a call");
        foreach (var (name, create) in Node.Kinds)
        {
            var nodes = await Node.StartAsync(create, configuration, 1).ConfigureAwait(false);
            var pings = await TimeAsync(async () => await nodes[0].Database.PingAsync().ConfigureAwait(false)).ConfigureAwait(false);
            var before = await CommandsAsync(nodes[0].Database).ConfigureAwait(false);
            var calls = await TimeAsync(() => nodes[0].CallAsync($"{Guid.NewGuid():N}", static () => Task.FromResult("done"))).ConfigureAwait(false);
            var after = await CommandsAsync(nodes[0].Database).ConfigureAwait(false);
            table.Add(
                name,
                Milliseconds(Percentile(calls, 50)),
                Invariant($"{Percentile(calls, 50) / Percentile(pings, 50):0.0}x"),
                before is null or 0 || after is null ? "not told" : Invariant($"{(after - before) / (double)calls.Count:0.0}"));
            await StopAsync(nodes).ConfigureAwait(false);
        }

        table.WriteTo(output);
    }

    private static async Task WriteFanInAsync(string configuration, TextWriter output)
    {
        output.WriteLine(Invariant($"## One key, {Nodes} nodes, work of {s_work.TotalMilliseconds:0} ms"));
        output.WriteLine();
        output.WriteLine("Follower: from the end of the work to the return of a call on another node. Failing: all calls of a round whose work fails, from first to last.");
        output.WriteLine();
        var table = new MarkdownTable("", "executions", "follower, p50", "p99", "failing: executions", "all ended after");
        foreach (var (name, create) in Node.Kinds)
        {
            var nodes = await Node.StartAsync(create, configuration, Nodes).ConfigureAwait(false);
            var waits = new List<double>();
            var (executions, failingExecutions) = (0, 0);
            var failing = new List<double>();
            for (var round = 0; round < Rounds; round++)
            {
                executions += await RunRoundAsync(nodes, waits).ConfigureAwait(false);
                if (round % 8 == 0)
                {
                    var begin = Stopwatch.GetTimestamp();
                    failingExecutions += await FailRoundAsync(nodes).ConfigureAwait(false);
                    failing.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
                }
            }

            table.Add(
                name,
                Invariant($"{executions / (double)Rounds:0.00}"),
                Milliseconds(Percentile(waits, 50)),
                Milliseconds(Percentile(waits, 99)),
                Invariant($"{failingExecutions / (double)failing.Count:0.0}"),
                Milliseconds(Percentile(failing, 50)));
            await StopAsync(nodes).ConfigureAwait(false);
        }

        table.WriteTo(output);
    }

    private static async Task WriteManyKeysAsync(string configuration, TextWriter output)
    {
        output.WriteLine(Invariant($"## Many keys in the air at the same time, each asked for by {Nodes} nodes"));
        output.WriteLine();
        output.WriteLine(Invariant($"The work takes {s_arrival.TotalSeconds:0} s, or {s_work.TotalSeconds:0.0} s if they come at once. All nodes and, if it is inside, the server share the cores: an answer later than the CommandTimeout is an execution more."));
        output.WriteLine();
        var table = new MarkdownTable("", "keys", "come within", "executions", "all ended after", "failed calls");

        // What polls or takes locks one after another is not made for so many.
        await AddAsync(Node.Kinds[0].Name, Node.Kinds[0].Create, ManyKeys, s_arrival).ConfigureAwait(false);
        await AddAsync("the same, CommandTimeout 5 s", CreatePatient, ManyKeys, s_arrival).ConfigureAwait(false);
        await AddAsync(Node.Kinds[0].Name, Node.Kinds[0].Create, ManyKeys, TimeSpan.Zero).ConfigureAwait(false);
        await AddAsync("the same, CommandTimeout 5 s", CreatePatient, ManyKeys, TimeSpan.Zero).ConfigureAwait(false);
        foreach (var (name, create) in Node.Kinds)
        {
            await AddAsync(name, create, ManyKeys / 20, s_arrival).ConfigureAwait(false);
        }

        table.WriteTo(output);

        async Task AddAsync(string name, Func<ConnectionMultiplexer, string, Node> create, int keys, TimeSpan arrival)
        {
            var nodes = await Node.StartAsync(create, configuration, Nodes).ConfigureAwait(false);
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

    private static async Task WriteServerDownAsync(TextWriter output)
    {
        output.WriteLine(Invariant($"## The server is stopped while {Nodes / 2} nodes wait for work of one second"));
        output.WriteLine();
        var table = new MarkdownTable("", "those calls: ended right", "last ended after", "next call of a node", "the one after");
        foreach (var (name, create) in Node.Kinds)
        {
            var server = EmbeddedServer.Start();
            var nodes = await Node.StartAsync(create, server.Configuration, Nodes / 2).ConfigureAwait(false);
            var working = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var begin = Stopwatch.GetTimestamp();
            var calls = nodes.Select(node => EndsAsync(node.CallAsync($"{Guid.Empty}", async () =>
            {
                working.TrySetResult();
                await Task.Delay(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
                return "done";
            }), TimeSpan.FromSeconds(60))).ToArray();
            await working.Task.ConfigureAwait(false);
            await Task.Delay(TimeSpan.FromMilliseconds(500)).ConfigureAwait(false);
            server.Dispose();
            var right = (await Task.WhenAll(calls).ConfigureAwait(false)).Count(static ended => ended);
            var ended = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            var next = await TimeOfCallAsync(nodes[0]).ConfigureAwait(false);
            var then = await TimeOfCallAsync(nodes[0]).ConfigureAwait(false);
            table.Add(name, Invariant($"{right} of {nodes.Length}"), Milliseconds(ended), next, then);
            await StopAsync(nodes).ConfigureAwait(false);
        }

        table.WriteTo(output);
    }

    private static async Task<string> TimeOfCallAsync(Node node)
    {
        var begin = Stopwatch.GetTimestamp();
        var isRight = await EndsAsync(node.CallAsync($"{Guid.NewGuid():N}", static () => Task.FromResult("done")), TimeSpan.FromSeconds(30)).ConfigureAwait(false);
        return Milliseconds(Stopwatch.GetElapsedTime(begin).TotalMilliseconds) + (isRight ? "" : ", failed");
    }

    private static async Task<bool> EndsAsync(Task<string> call, TimeSpan limit)
    {
        try
        {
            return await call.WaitAsync(limit).ConfigureAwait(false) == "done";
        }
        catch (Exception)
        {
            return false;
        }
    }

    private static async Task<int> RunRoundAsync(Node[] nodes, List<double> waits)
    {
        var (executions, key) = (0, $"{Guid.NewGuid():N}");
        var end = 0L;
        var calls = await Task.WhenAll(nodes.Select(node => Task.Run(async () =>
        {
            var isLeader = false;
            await node.CallAsync(key, async () =>
            {
                isLeader = true;
                Interlocked.Increment(ref executions);
                await Task.Delay(s_work).ConfigureAwait(false);
                Volatile.Write(ref end, Stopwatch.GetTimestamp());
                return "done";
            }).ConfigureAwait(false);
            return (IsLeader: isLeader, At: Stopwatch.GetTimestamp());
        }))).ConfigureAwait(false);
        waits.AddRange(calls.Where(static call => !call.IsLeader).Select(call => Stopwatch.GetElapsedTime(end, call.At).TotalMilliseconds));
        return executions;
    }

    private static async Task<int> FailRoundAsync(Node[] nodes)
    {
        var (executions, key) = (0, $"{Guid.NewGuid():N}");
        await Task.WhenAll(nodes.Select(node => Task.Run(async () =>
        {
            try
            {
                await node.CallAsync(key, async () =>
                {
                    Interlocked.Increment(ref executions);
                    await Task.Delay(s_work).ConfigureAwait(false);
                    throw new InvalidOperationException("The work has failed.");
                }).ConfigureAwait(false);
            }
            catch (InvalidOperationException)
            {
                // What every caller is to get.
            }
        }))).ConfigureAwait(false);
        return executions;
    }

    private static async Task<List<double>> TimeAsync(Func<Task> call)
    {
        var times = new List<double>(1000);
        for (var i = 0; i < 1000; i++)
        {
            var begin = Stopwatch.GetTimestamp();
            await call().ConfigureAwait(false);
            times.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
        }

        return times;
    }

    /// <summary>How many commands the server has executed; null if it does not tell, as Garnet does not.</summary>
    private static async Task<long?> CommandsAsync(IDatabase database)
    {
        try
        {
            var info = (string?)await database.ExecuteAsync("INFO", "stats").ConfigureAwait(false);
            var line = info?.Split('\n').FirstOrDefault(static line => line.StartsWith("total_commands_processed:", StringComparison.Ordinal));
            return line is null ? null : long.Parse(line.Split(':')[1], CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is RedisException or FormatException)
        {
            return null;
        }
    }

    private static async Task StopAsync(Node[] nodes)
    {
        foreach (var node in nodes)
        {
            await node.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static double Percentile(List<double> figures, int percent) =>
        figures.Order().ElementAt(Math.Min(figures.Count - 1, figures.Count * percent / 100));

    private static string Milliseconds(double time) => Invariant($"{time:0.00} ms");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
