using System.Diagnostics;
using Polly.SingleFlight.Benchmarks.Quick;
using static Polly.SingleFlight.Benchmarks.Distributed.Figures;

namespace Polly.SingleFlight.Benchmarks.Distributed;

/// <summary>The server is stopped while nodes wait.</summary>
internal static class ServerDown
{
    public static async Task WriteAsync(int nodeCount, TextWriter output)
    {
        output.WriteLine(Invariant($"## The server is stopped while {nodeCount} nodes wait for work of one second"));
        output.WriteLine();
        var table = new MarkdownTable("", "those calls: ended right", "last ended after", "next call of a node", "the one after");
        foreach (var (name, create) in Node.Kinds)
        {
            var server = EmbeddedServer.Start();
            var nodes = await Node.StartAsync(create, server.Configuration, nodeCount).ConfigureAwait(false);
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
}
