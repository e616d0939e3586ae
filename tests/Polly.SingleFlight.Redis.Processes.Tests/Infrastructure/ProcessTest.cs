using System.Diagnostics;

namespace Polly.SingleFlight.Redis.Processes.Tests.Infrastructure;

/// <summary>The base of tests with several node processes.</summary>
public abstract class ProcessTest : IAsyncDisposable
{
    protected const string Key = "key";

    private readonly List<NodeProcess> _nodes = [];
    private readonly string _scope = "test-" + Guid.NewGuid().ToString("N");

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _nodes.ForEach(static node => node.Dispose());
        return default;
    }

    /// <summary>Starts nodes of one service.</summary>
    protected async Task<NodeProcess[]> StartAsync(string server, int count, TimeSpan lease)
    {
        var nodes = await Task.WhenAll(Enumerable.Range(0, count).Select(number => NodeProcess.StartAsync(new NodeSettings($"node{number}", server, _scope, lease))));
        _nodes.AddRange(nodes);
        return nodes;
    }

    /// <summary>Has the first node lead with a callback that waits until it is told to end, and the others follow. Ends when they do.</summary>
    /// <returns>The numbers of the calls, node by node.</returns>
    protected static async Task<int[]> FlyAsync(NodeProcess[] nodes)
    {
        var joined = nodes.Select(static node => node.Count(MessageKind.Joined)).ToArray();
        var began = nodes[0].Count(MessageKind.Began);
        var calls = new int[nodes.Length];
        calls[0] = nodes[0].Call(Key, Work.Held);
        await nodes[0].WaitAsync(MessageKind.Began, began + 1);
        for (var i = 1; i < nodes.Length; i++)
        {
            calls[i] = nodes[i].Call(Key, Work.Held);
        }

        for (var i = 1; i < nodes.Length; i++)
        {
            await nodes[i].WaitAsync(MessageKind.Joined, joined[i] + 1);
        }

        return calls;
    }

    /// <summary>Waits until a callback has begun on one of the nodes, and the others follow that one.</summary>
    /// <returns>The index of the node, and when its callback has begun.</returns>
    protected static async Task<(int Leader, long At)> OneTakesOverAsync(NodeProcess[] nodes)
    {
        var began = nodes.Select(static node => node.WaitAsync(MessageKind.Began)).ToList();
        var first = await Task.WhenAny(began);
        var leader = began.IndexOf(first);
        var at = (await first).At;
        foreach (var node in nodes.Where(node => node != nodes[leader]))
        {
            await node.WaitAsync(MessageKind.Joined, 2);
        }

        // The other nodes wait for a callback that does not come, until they are killed.
        began.ForEach(static task => _ = task.ContinueWith(
            static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default));
        return (leader, at);
    }

    protected static int Executions(params IEnumerable<NodeProcess> nodes) => nodes.Sum(static node => node.Count(MessageKind.Began));

    /// <summary>What the calls received, whose nodes and numbers are given; none of them has failed.</summary>
    protected static async Task<string[]> ValuesOf(NodeProcess[] nodes, int[] calls)
    {
        var values = new string[calls.Length];
        for (var i = 0; i < calls.Length; i++)
        {
            var end = await nodes[i].EndOf(calls[i]);
            Assert.Null(end.Error);
            values[i] = end.Value!;
        }

        return values;
    }

    /// <summary>The rest of the lifetime of each key of single flight, in milliseconds; -1 for one that does not expire.</summary>
    protected static async Task<long[]> LifetimesAsync(IDatabase database)
    {
        var keys = (RedisKey[])(await database.ExecuteAsync("KEYS", "polly-sf:*"))!;
        var lifetimes = new List<long>();
        foreach (var key in keys)
        {
            var lifetime = (long)await database.ExecuteAsync("PTTL", key);
            if (lifetime != -2)
            {
                lifetimes.Add(lifetime);
            }
        }

        return [.. lifetimes];
    }

    /// <summary>Waits until no key is left in the server, which tells nobody of that. None may be there for ever.</summary>
    protected static async Task NoKeyIsLeftAsync(string server)
    {
        await using var connection = await ConnectAsync(server);
        var begin = Stopwatch.GetTimestamp();
        while (await LifetimesAsync(connection.GetDatabase()) is { Length: > 0 } lifetimes)
        {
            Assert.DoesNotContain(-1, lifetimes);
            Assert.True(Stopwatch.GetElapsedTime(begin) < NodeProcess.Patience, "Keys are left.");
            await Task.Delay(50);
        }
    }

    protected static async Task<ConnectionMultiplexer> ConnectAsync(string server) => await ConnectionMultiplexer.ConnectAsync($"{server},allowAdmin=true,connectTimeout=20000,asyncTimeout=20000");
}
