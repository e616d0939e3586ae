using System.Diagnostics;
using System.Globalization;
using Polly.SingleFlight.Benchmarks.Quick;
using StackExchange.Redis;
using static Polly.SingleFlight.Benchmarks.Distributed.Figures;

namespace Polly.SingleFlight.Benchmarks.Distributed;

/// <summary>Several nodes of a service over one server, beside what people use today. Nodes are connections of their own in this process.</summary>
internal static class DistributedRun
{
    private const int Nodes = 8;
    private const int Rounds = 40;
    private static readonly TimeSpan s_work = TimeSpan.FromMilliseconds(100);

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

        await ManyKeys.WriteAsync(configuration, Nodes, output).ConfigureAwait(false);
        if (!isManyOnly)
        {
            await ServerDown.WriteAsync(Nodes / 2, output).ConfigureAwait(false);
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
}
