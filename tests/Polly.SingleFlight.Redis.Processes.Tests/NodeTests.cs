using System.Diagnostics;

namespace Polly.SingleFlight.Redis.Processes.Tests;

/// <summary>Nodes in processes of their own, which are killed, stopped, continued and ended.</summary>
public sealed class NodeTests(Server server) : ProcessTest
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(2);

    /// <summary>Longer than any test.</summary>
    private static readonly TimeSpan s_longLease = TimeSpan.FromMinutes(1);

    /// <summary>What a slow machine may take longer.</summary>
    private static readonly TimeSpan s_slack = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Nodes_FourProcesses_OneExecution_AndNoKeyIsLeft()
    {
        var nodes = await StartAsync(server.Address, 4, s_longLease);
        var calls = await FlyAsync(nodes);
        nodes[0].Open(calls[0]);
        var values = await ValuesOf(nodes, calls);
        Assert.All(values, static value => Assert.StartsWith("key/node0/", value));
        Assert.Single(values.Distinct());
        Assert.Equal(1, Executions(nodes));
        await NoKeyIsLeftAsync(server.Address);
    }

    [Fact]
    public async Task Leader_Killed_IsReplacedByOne_WhenItsLeaseIsOver()
    {
        var nodes = await StartAsync(server.Address, 4, s_lease);
        await using var connection = await ConnectAsync(server.Address);
        var calls = await FlyAsync(nodes);
        nodes[0].Kill();
        var killed = Stopwatch.GetTimestamp();

        // The lease does not end before this time. A renewal that was still under way would move the end, but only to a later one.
        var lifetimes = await LifetimesAsync(connection.GetDatabase());
        var earliest = lifetimes.Length > 0 ? TimeSpan.FromMilliseconds(lifetimes.Min() - 1) : TimeSpan.Zero;
        var others = nodes[1..];
        var (leader, at) = await OneTakesOverAsync(others);
        var took = Stopwatch.GetElapsedTime(killed, at);
        Assert.True(took >= earliest, $"It took {took}, with {earliest} of the lease left.");
        Assert.True(took <= s_lease + TimeSpan.FromSeconds(0.25) + s_slack, $"It took {took}.");
        others[leader].Open(calls[leader + 1]);
        var values = await ValuesOf(others, calls[1..]);
        Assert.All(values, value => Assert.StartsWith($"key/node{leader + 1}/", value));
        Assert.Equal(1, Executions(others));
        TestContext.Current.SendDiagnosticMessage($"taken over after {took.TotalSeconds:0.000} s, with a lease of {s_lease.TotalSeconds} s");
        await NoKeyIsLeftAsync(server.Address);
    }

    [Fact]
    public async Task Follower_Killed_OthersReceive_AndNoKeyIsLeft()
    {
        var nodes = await StartAsync(server.Address, 3, s_longLease);
        var calls = await FlyAsync(nodes);
        nodes[2].Kill();
        nodes[0].Open(calls[0]);
        var values = await ValuesOf(nodes, calls[..2]);
        Assert.All(values, static value => Assert.StartsWith("key/node0/", value));
        Assert.Equal(1, Executions(nodes));
        await NoKeyIsLeftAsync(server.Address);
    }

    [Fact]
    public async Task Leader_ExitsGracefully_OneTakesOver_LongBeforeTheLeaseIsOver()
    {
        var nodes = await StartAsync(server.Address, 3, s_longLease);
        var calls = await FlyAsync(nodes);
        var begin = Stopwatch.GetTimestamp();
        nodes[0].Exit();
        await nodes[0].WaitAsync(MessageKind.Done);
        await nodes[0].Closed;
        var others = nodes[1..];
        var (leader, at) = await OneTakesOverAsync(others);
        Assert.True(Stopwatch.GetElapsedTime(begin, at) < s_longLease / 3, "The lease was waited for.");
        others[leader].Open(calls[leader + 1]);
        Assert.All(await ValuesOf(others, calls[1..]), value => Assert.StartsWith($"key/node{leader + 1}/", value));
        Assert.Equal(1, Executions(others));
    }

#if HAS_SIGNALS
    [Fact]
    public async Task Leader_StoppedForLongerThanItsLease_ItsResultReachesItsOwnCallersOnly()
    {
        var nodes = await StartAsync(server.Address, 4, s_lease);
        var calls = await FlyAsync(nodes);
        var second = nodes[0].Call(Key, Work.Held);
        await nodes[0].WaitAsync(MessageKind.JoinedHere);
        nodes[0].Signal("STOP");
        var others = nodes[1..];
        var (leader, _) = await OneTakesOverAsync(others);
        nodes[0].Signal("CONT");
        nodes[0].Open(calls[0]);
        Assert.StartsWith("key/node0/", (await nodes[0].EndOf(calls[0])).Value);
        Assert.StartsWith("key/node0/", (await nodes[0].EndOf(second)).Value);
        Assert.Equal(0, others.Sum(static node => node.Count(MessageKind.Ended)));

        // A newcomer of the stopped node's follows the new leader, as all do.
        var newcomer = nodes[0].Call(Key, Work.Held);
        await nodes[0].WaitAsync(MessageKind.Joined);
        others[leader].Open(calls[leader + 1]);
        string[] values = [.. await ValuesOf(others, calls[1..]), (await nodes[0].EndOf(newcomer)).Value!];
        Assert.All(values, value => Assert.StartsWith($"key/node{leader + 1}/", value));
        Assert.Equal(2, Executions(nodes));
        await NoKeyIsLeftAsync(server.Address);
    }

    [Fact]
    public async Task Leader_StoppedForLessThanItsLease_KeepsItsFlight()
    {
        var nodes = await StartAsync(server.Address, 2, s_longLease);
        var calls = await FlyAsync(nodes);
        nodes[0].Signal("STOP");
        nodes[0].Open(calls[0]);
        nodes[0].Signal("CONT");
        Assert.All(await ValuesOf(nodes, calls), static value => Assert.StartsWith("key/node0/", value));
        Assert.Equal(1, Executions(nodes));
    }

    [Fact]
    public async Task Follower_StoppedWhileTheFlightEnds_ReceivesWhenItGoesOn()
    {
        var nodes = await StartAsync(server.Address, 2, s_longLease);
        var calls = await FlyAsync(nodes);
        nodes[1].Signal("STOP");
        nodes[0].Open(calls[0]);
        await nodes[0].EndOf(calls[0]);
        nodes[1].Signal("CONT");

        // If it comes too late for the outcome, which is kept for some seconds, it calls itself.
        nodes[1].Open(calls[1]);
        var end = await nodes[1].EndOf(calls[1]);
        Assert.Null(end.Error);
        Assert.StartsWith("key/node", end.Value);
        await NoKeyIsLeftAsync(server.Address);
    }
#endif
}
