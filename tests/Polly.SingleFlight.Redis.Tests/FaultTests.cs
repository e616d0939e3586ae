namespace Polly.SingleFlight.Redis.Tests;

/// <summary>Whatever Redis does, calls end, and end right.</summary>
public sealed class FaultTests(RedisServer server) : DistributedTest(server)
{
    [Fact]
    public async Task Down_FromTheStart_CallsRunAtOnce()
    {
        await using var proxy = new Proxy(Server.Configuration);
        proxy.Cut(andRefuse: true);
        await using var connection = await proxy.ConnectAsync();
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
        await using var first = await proxy.ConnectAsync();
        await using var second = await proxy.ConnectAsync();
        var options = () => new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(2) };
        Node<int>[] nodes = [await StartAsync(options(), connection: first), await StartAsync(options(), connection: second)];
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
        await using var connection = await proxy.ConnectAsync();
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
        await using var connection = await proxy.ConnectAsync(",syncTimeout=60000,asyncTimeout=60000");
        var options = new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(3), Lease = TimeSpan.FromMinutes(1) };
        var node = await StartAsync(options, connection: connection);
        await node.Call("key", 0).Soon();
        Assert.Equal(1, node.Listener.Count(Led));
        proxy.Hang();
        Assert.Equal(1, await node.Call("key", 1).Soon());
        var begin = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(i, await node.Call("key", i).Soon());
        }

        Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(3), "A Redis that is known to hang costs something.");
        Assert.Equal(51, node.Bypassed(DistributedBypassReason.Unavailable));
        proxy.Continue();
        await Eventually(async () =>
        {
            await node.Call("other key", 2);
            return node.Listener.Count(Led) > 1;
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
        await using var connection = await proxy.ConnectAsync(",syncTimeout=60000,asyncTimeout=60000");
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
        await using var connection = await proxy.ConnectAsync();
        var leader = await StartAsync(new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(1) }, connection: connection);
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

    [Fact]
    public async Task Scripts_Flushed_NothingIsNoticed()
    {
        var nodes = await StartAllAsync<int>(2);
        await nodes[0].Call("warm", 0).Soon();
        await nodes[1].Call("warm", 0).Soon();
        for (var i = 0; i < 3; i++)
        {
            var gate = new Gate();
            var value = i;
            var leader = nodes[0].Call("key", async _ =>
            {
                await gate.Opened;
                return value;
            });
            await nodes[0].Probe.Reached("callback", i + 2);
            await Server.Database.ExecuteAsync("SCRIPT", "FLUSH");
            var follower = nodes[1].Call("key", -1);
            await nodes[1].Probe.Reached(Joined, i + 1);
            await Server.Database.ExecuteAsync("SCRIPT", "FLUSH");
            gate.Open();
            Assert.Equal((value, value), (await leader.Soon(), await follower.Soon()));
        }
    }

    [Fact]
    public async Task WrongTypes_InOurPlace_CallsRunAlone()
    {
        var node = await StartAsync<int>();
        var stranger = new Stranger(Server, node.Group, "key", typeof(int));
        foreach (var key in new[] { stranger.Name.Flight, stranger.Name.Index })
        {
            await Server.Database.StringSetAsync(key, "mine", TimeSpan.FromMinutes(1));
            Assert.Equal(5, await node.Call("key", 5).Soon());
            Assert.Equal(1, node.Bypassed(DistributedBypassReason.Unavailable));
            Assert.Equal("mine", await Server.Database.StringGetAsync(key));
            await Server.Database.KeyDeleteAsync([stranger.Name.Flight, stranger.Name.Index]);
            node = await StartAsync<int>();
        }
    }

    [Fact]
    public async Task WrongTypes_WhileItFlies_AllEnd()
    {
        var nodes = await StartAllAsync(2, () => new DistributedSingleFlightStrategyOptions<int> { Lease = TimeSpan.FromSeconds(0.5), CommandTimeout = TimeSpan.FromSeconds(20) });
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        var keys = (await KeysOf(nodes[0], "key")).Keys;
        foreach (var key in keys)
        {
            await Server.Database.KeyDeleteAsync(key);
            await Server.Database.ListLeftPushAsync(key, "mine");
            await Server.Database.KeyExpireAsync(key, TimeSpan.FromMinutes(1));
        }

        Assert.Equal(2, await calls[1]);
        gate.Open();
        Assert.Equal(1, await calls[0]);
        await Server.Database.KeyDeleteAsync([.. keys.Select(key => (RedisKey)key)]);
    }

    [Fact]
    public async Task Server_RestartedEmpty_AllEndRight()
    {
        var (garnet, port) = RedisServer.StartGarnet();
        var configuration = $"127.0.0.1:{port},abortConnect=false,connectTimeout=2000";
        await using var first = await ConnectionMultiplexer.ConnectAsync(configuration);
        await using var second = await ConnectionMultiplexer.ConnectAsync(configuration);
        var options = () => new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(2) };
        Node<int>[] nodes = [await StartAsync(options(), connection: first), await StartAsync(options(), connection: second)];
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        garnet.Dispose();
        (garnet, _) = RedisServer.StartGarnet(port);
        gate.Open();
        Assert.Equal(1, await calls[0]);
        Assert.Contains(await calls[1], new[] { 1, 2 });
        await Eventually(async () =>
        {
            await nodes[1].Call("later", 3);
            return nodes[1].Listener.Count(Led) > 0;
        }, "Redis is used again");
        await nodes[0].Group.DisposeAsync();
        await nodes[1].Group.DisposeAsync();
        garnet.Dispose();
    }

    [Fact]
    public async Task Rights_Missing_CallsRunAlone_AndTheNamedOnesAreEnough()
    {
        var admin = Server.Connection.GetServer(Server.Connection.GetEndPoints()[0]);
        await UserAsync("sf-none", "+ping", "+info", "+cluster", "+config", "+client");
        await UserAsync("sf-nosub", "+@all", "-subscribe");
        await UserAsync("sf-noscript", "+@all", "-eval", "-evalsha");
        var calls = new[]
        {
            "eval", "evalsha", "script", "hset", "hget", "hsetnx", "hdel", "hlen", "hgetall", "rename", "pexpire", "pttl", "time", "get", "set", "strlen", "exists", "del",
            "publish", "subscribe", "unsubscribe", "ping", "info", "echo", "client", "hello", "auth",
        };
        await UserAsync("sf-enough", [.. calls.Select(one => "+" + one)]);
        try
        {
            foreach (var user in new[] { "sf-none", "sf-nosub", "sf-noscript" })
            {
                await using var poor = await ConnectAs(user);
                var node = await StartAsync<int>(connection: poor);
                Assert.Equal(1, await node.Call(user, 1).Soon());
                Assert.Equal(1, node.Bypassed(DistributedBypassReason.Unavailable));
            }

            await using var enough = await ConnectAs("sf-enough");
            Node<int>[] nodes = [await StartAsync<int>(connection: enough), await StartAsync<int>()];
            var gate = new Gate();
            var flight = await FlyAsync(nodes, "key", async _ =>
            {
                await gate.Opened;
                return 1;
            }, _ => Task.FromResult(2));
            gate.Open();
            Assert.All(await Task.WhenAll(flight), result => Assert.Equal(1, result));
        }
        finally
        {
            await Server.Database.ExecuteAsync("ACL", "DELUSER", "sf-none", "sf-nosub", "sf-noscript", "sf-enough");
        }

        Task<RedisResult> UserAsync(string name, params string[] rights) => admin.ExecuteAsync(
            "ACL", ["SETUSER", name, "reset", "on", ">pw", .. RedisServer.IsExternal ? new object[] { "~polly-sf:*", "&polly-sf:*" } : [], .. rights]);

        Task<ConnectionMultiplexer> ConnectAs(string user) =>
            ConnectionMultiplexer.ConnectAsync($"{Server.Configuration},abortConnect=false,user={user},password=pw");
    }
}
