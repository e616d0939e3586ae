namespace Polly.SingleFlight.Redis.Processes.Tests;

/// <summary>A server that is killed, and comes back empty.</summary>
public sealed class ServerTests : ProcessTest
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Server_KilledInMidFlight_EachNodeCallsItself_AndAfterItsReturnOneForAll()
    {
        using var server = await ServerProcess.StartAsync(Server.IsRedis);
        var nodes = await StartAsync(server.Address, 3, s_lease);
        var calls = await FlyAsync(nodes);
        server.Kill();
        await EachRunsAsync(nodes, executions: 1);
        await EndAloneAsync(nodes, calls);

        // While it is away, it is not waited for.
        calls = [.. nodes.Select(static node => node.Call(Key, Work.Held))];
        await EachRunsAsync(nodes, executions: 2);
        await EndAloneAsync(nodes, calls);

        await server.StartAgainAsync();
        foreach (var node in nodes)
        {
            await node.ConnectAsync();
        }

        calls = await FlyAsync(nodes);
        nodes[0].Open(calls[0]);
        Assert.Single((await ValuesOf(nodes, calls)).Distinct());
        Assert.Equal(7, Executions(nodes));
        await NoKeyIsLeftAsync(server.Address);
    }

    [Fact]
    public async Task Server_RestartedEmptyInMidFlight_NoCallFails_AndEachEndsWithAResultOfAnExecutionInTheAir()
    {
        using var server = await ServerProcess.StartAsync(Server.IsRedis);
        var nodes = await StartAsync(server.Address, 3, s_lease);
        var calls = await FlyAsync(nodes);
        server.Kill();
        await server.StartAgainAsync();
        nodes[0].Open(calls[0]);
        Assert.StartsWith("key/node0/", (await nodes[0].EndOf(calls[0])).Value);

        // The others have run alone, or one of them leads in the server that knows nothing.
        var ends = nodes[1..].Select((node, i) => node.EndOf(calls[i + 1])).ToArray();
        for (var i = 1; i < nodes.Length; i++)
        {
            nodes[i].Open(calls[i]);
        }

        foreach (var end in await Task.WhenAll(ends))
        {
            Assert.Null(end.Error);
            Assert.DoesNotContain("/node0/", end.Value);
        }

        await NoKeyIsLeftAsync(server.Address);
    }

    private static async Task EachRunsAsync(NodeProcess[] nodes, int executions)
    {
        foreach (var node in nodes)
        {
            await node.WaitAsync(MessageKind.Began, executions);
        }
    }

    private static async Task EndAloneAsync(NodeProcess[] nodes, int[] calls)
    {
        for (var i = 0; i < nodes.Length; i++)
        {
            nodes[i].Open(calls[i]);
            Assert.StartsWith($"key/node{i}/", (await nodes[i].EndOf(calls[i])).Value);
        }
    }
}
