namespace Polly.SingleFlight.Redis.Tests;

/// <summary>However Redis is connected, calls end, and end right.</summary>
public sealed class FaultTests(RedisServer server) : DistributedTest(server)
{
    [Fact]
    public async Task Down_FromTheStart_CallsRunAtOnce()
    {
        await using var proxy = new Proxy(Server.Configuration);
        proxy.Cut(andRefuse: true);
        var connection = await proxy.ConnectAsync();
        var node = await StartAsync<int>(connection: connection);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(i, await node.Call("key", i).Soon());
        }

        Assert.Equal(20, node.Bypassed(DistributedBypassReason.Unavailable));
        Assert.All(node.Listener.Reports.Where(report => report.Name == Bypassed), report => Assert.Equal(Polly.Telemetry.ResilienceEventSeverity.Warning, report.Severity));
    }

    [Fact]
    public async Task Down_InTheMiddle_AllEndRight_AndLaterItIsUsedAgain()
    {
        await using var proxy = new Proxy(Server.Configuration);
        var first = await proxy.ConnectAsync();
        var second = await proxy.ConnectAsync();
        Node<int>[] nodes = [await StartAsync(Node<int>.Patient(), connection: first), await StartAsync(Node<int>.Patient(), connection: second)];
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        proxy.Cut(andRefuse: true);
        Assert.Equal(2, await calls[1]);
        gate.Open();
        Assert.Equal(1, await calls[0]);
        Assert.Equal(1, nodes[1].Bypassed(DistributedBypassReason.Unavailable));

        proxy.Accept();
        await Eventually(async () =>
        {
            await nodes[1].Call("other key", 3);
            return nodes[1].Listener.Count(Led) > 0;
        }, "Redis is used again");
    }

    [Fact]
    public async Task Connections_CutInTheMiddle_OneExecutionAllTheSame()
    {
        await using var proxy = new Proxy(Server.Configuration);
        var connection = await proxy.ConnectAsync();
        var leader = await StartAsync<int>();
        var follower = await StartAsync(Node<int>.Patient(), connection: connection);
        var gate = new Gate();
        var calls = await FlyAsync([leader, follower], "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        proxy.Cut();
        await Eventually(() => Task.FromResult(connection.IsConnected), "it is connected again");
        gate.Open();
        Assert.Equal(1, await calls[0]);

        // Its look may have come while there was no connection.
        var second = await calls[1];
        Assert.Equal(follower.Executions == 0 ? 1 : 2, second);
    }

    [Fact]
    public async Task Hanging_CostsOneTimeoutOnce_ThenNothing_AndIsUsedWhenItAnswersAgain()
    {
        await using var proxy = new Proxy(Server.Configuration);
        var connection = await proxy.ConnectAsync();
        var options = new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(3), Lease = TimeSpan.FromMinutes(1) };
        var node = await StartAsync(options, connection: connection);
        await IsAnsweredAsync(node);
        var (led, bypassed) = (node.Listener.Count(Led), node.Bypassed(DistributedBypassReason.Unavailable));
        proxy.Hang();
        Assert.Equal(1, await node.Call("key", 1).Soon());
        var begin = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(i, await node.Call("key", i).Soon());
        }

        Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(3), "A Redis that is known to hang costs something.");
        Assert.Equal(51, node.Bypassed(DistributedBypassReason.Unavailable) - bypassed);
        proxy.Continue();
        await Eventually(async () =>
        {
            await node.Call("other key", 2);
            return node.Listener.Count(Led) > led;
        }, "Redis is used again");

        // The acquisition that was not answered in time was heard in the end, and taken back.
        await Eventually(async () =>
        {
            var keys = await KeysOf(node, "key");
            Assert.All(keys.Values, static left => Assert.True(left > 30_000, "It is left to the end of its lease."));
            return keys.Count == 0;
        }, "no flight without a leader");
    }

    [Fact]
    public async Task Hanging_FromTheStart_IsUsedWhenItAnswers()
    {
        await using var proxy = new Proxy(Server.Configuration);
        var connection = await proxy.ConnectAsync();
        var node = await StartAsync(new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(2) }, connection: connection);
        proxy.Hang();
        Assert.Equal(1, await node.Call("key", 1).Soon());
        Assert.Equal(1, node.Bypassed(DistributedBypassReason.Unavailable));
        proxy.Continue();
        await Eventually(async () =>
        {
            await node.Call("key", 2).Soon();
            return node.Listener.Count(Led) > 0;
        }, "Redis is used");
    }

    [Fact]
    public async Task Hanging_AtTheEnd_HoldsTheLeaderOneTimeoutAtMost()
    {
        await using var proxy = new Proxy(Server.Configuration);
        var connection = await proxy.ConnectAsync();
        var leader = await StartAsync(new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(3) }, connection: connection);
        var follower = await StartAsync<int>();
        var gate = new Gate();
        var calls = await FlyAsync([leader, follower], "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        proxy.Hang();
        gate.Open();
        Assert.Equal(1, await calls[0]);
        proxy.Continue();

        // Its leader ends the flight as soon as it is heard; or the lease was over before.
        Assert.Contains(await calls[1], new[] { 1, 2 });
    }

    [Fact]
    public async Task Notification_Lost_IsADelay()
    {
        var node = await StartAsync<int>();
        var stranger = new Stranger(Server, node.Group, "key", typeof(int));
        await stranger.LeadAsync();
        var call = node.Call("key", 2);
        await node.Probe.Reached(Joined, 1);
        await Server.Database.StringSetAsync(
            stranger.Name.Outcome(stranger.Id),
            Payload.Envelope.Write(new(Payload.OutcomeContent.Value, default, default, "7"u8.ToArray()), stranger.Name, stranger.Id, null),
            TimeSpan.FromSeconds(30));
        await stranger.VanishAsync();
        Assert.Equal(7, await call.Soon());
        Assert.Equal(0, node.Executions);
        await Server.Database.KeyDeleteAsync(stranger.Name.Outcome(stranger.Id));
    }
}
