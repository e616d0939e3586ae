namespace Polly.SingleFlight.Redis.Tests;

/// <summary>Whatever is in Redis, or missing there, calls end, and end right.</summary>
[Collection(nameof(LostScriptTests))]
public sealed class ServerFaultTests(RedisServer server) : DistributedTest(server)
{
    [Fact]
    public async Task Scripts_Flushed_NothingIsNoticed()
    {
        var nodes = await StartAllAsync<int>(2);
        for (var i = 0; i < 3; i++)
        {
            var gate = new Gate();
            var value = i;
            var (called, joined) = (nodes[0].Probe["callback"], nodes[1].Probe[Joined]);
            var leader = nodes[0].Call("key", async _ =>
            {
                await gate.Opened;
                return value;
            });
            await nodes[0].Probe.Reached("callback", called + 1);
            await Server.Database.ExecuteAsync("SCRIPT", "FLUSH");
            var follower = nodes[1].Call("key", -1);
            await nodes[1].Probe.Reached(Joined, joined + 1);
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
        var nodes = await StartAllAsync(2, () => new DistributedSingleFlightStrategyOptions<int> { Lease = TimeSpan.FromSeconds(1.5), CommandTimeout = TimeSpan.FromSeconds(20) });
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
        var options = () => new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(5) };
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
            "eval", "evalsha", "script", "hset", "hget", "hsetnx", "hdel", "hgetall", "rename", "pexpire", "pttl", "time", "get", "set", "strlen", "exists", "del",
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
            ConnectionMultiplexer.ConnectAsync($"{Server.Configuration},abortConnect=false,asyncTimeout=60000,user={user},password=pw");
    }
}
