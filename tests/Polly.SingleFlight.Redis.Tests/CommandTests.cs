using Polly.SingleFlight.Redis.Engine;
using StackExchange.Redis.Profiling;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>What a flight costs, and what it leaves.</summary>
[Collection(nameof(LostScriptTests))]
public sealed class CommandTests(RedisServer server) : DistributedTest(server)
{
    [Fact]
    public async Task Commands_OfAFlight_TwoForEachNode()
    {
        var nodes = await StartAllAsync<int>(3);
        foreach (var node in nodes)
        {
            await node.Call("warm " + Array.IndexOf(nodes, node), 0).Soon();
        }

        await ContendAsync("warm");
        var sessions = nodes.Select(Profile).ToArray();
        await ContendAsync("key");
        foreach (var session in sessions)
        {
            Assert.Equal(["EVAL", "EVAL"], session.FinishProfiling().Select(command => command.Command));
        }

        async Task ContendAsync(string key)
        {
            var before = nodes.Select(node => (Callbacks: node.Probe["callback"], Joined: node.Probe[Joined])).ToArray();
            var gate = new Gate();
            var leader = nodes[0].Call(key, async _ =>
            {
                await gate.Opened;
                return 1;
            });
            await nodes[0].Probe.Reached("callback", before[0].Callbacks + 1);
            var others = nodes.Skip(1).Select(node => node.Call(key, 2)).ToArray();
            await nodes[1].Probe.Reached(Joined, before[1].Joined + 1);
            await nodes[2].Probe.Reached(Joined, before[2].Joined + 1);
            await Eventually(() => Task.FromResult(nodes[0].Group.Led.Any(led => led.IsAwaited)), "the leader has heard of them");
            gate.Open();
            await leader.Soon();
            await Task.WhenAll(others).Soon();
        }
    }

    /// <summary>Nobody has to look by himself: the leader is told that somebody waits, and who waits that the flight has ended.</summary>
    [Fact]
    public async Task Messages_OfAFlight_OneForTheLeader_OneForTheFollower()
    {
        var nodes = await StartAllAsync<int>(2);
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        var led = nodes[0].Group.Led.Single();
        await Eventually(() => Task.FromResult(led.IsAwaited), "the leader has heard of the follower");
        var heard = new Probe();
        void Listener(Message message) => heard.Hit($"{message.Letter}{(message.EndedAt > 0 ? " with a time" : "")}");
        nodes[1].Group.Engine.Inbox.Listeners.Add(led.Id, Listener);
        gate.Open();
        await heard.Reached("O with a time", 1);
        nodes[1].Group.Engine.Inbox.Listeners.Remove(led.Id, Listener);
        Assert.All(await Task.WhenAll(calls), static result => Assert.Equal(1, result));
    }

    /// <summary>Not even where scripts are not one step, as on Garnet, do those who register at the same time leave it to each other to tell the leader.</summary>
    [Fact]
    public async Task Leader_WhenSeveralRegisterAtOnce_HearsOfOne()
    {
        var nodes = await StartAllAsync<int>(6);
        for (var round = 0; round < 100; round++)
        {
            var gate = new Gate();
            var key = round;
            var leader = nodes[0].Call(key, async _ =>
            {
                await gate.Opened;
                return key;
            });
            await nodes[0].Probe.Reached("callback", round + 1);
            var others = nodes.Skip(1).Select(node => Task.Run(() => node.Call(key, -1))).ToArray();
            await Eventually(() => Task.FromResult(nodes[0].Group.Led.Any(static led => led.IsAwaited)), "the leader has heard of them");
            gate.Open();
            Assert.Equal(key, await leader.Soon());
            Assert.All(await Task.WhenAll(others).Soon(), result => Assert.Contains(result, new[] { key, -1 }));
        }
    }

    [Fact]
    public async Task Commands_OfAnUncontendedFlight_OneBeforeAndOneAfter()
    {
        var node = await StartAsync<int>();
        await node.Call("warm", 0).Soon();
        var session = Profile(node);
        for (var i = 0; i < 5; i++)
        {
            await node.Call("key", i).Soon();
        }

        await Eventually(async () => (await KeysOf(node, "key")).Count == 0, "the flights are over");
        Assert.Equal(Enumerable.Repeat("EVAL", 10), session.FinishProfiling().Select(command => command.Command));
    }

    [Fact]
    public async Task Keys_AlwaysExpire_AndNoneIsLeft()
    {
        var nodes = await StartAllAsync<int>(3);
        for (var i = 0; i < 20; i++)
        {
            var gate = new Gate();
            var key = i;
            var calls = nodes.Select(node => node.Call(key, async _ =>
            {
                await gate.Opened;
                return key;
            })).ToArray();
            var joined = i + 1;
            await Eventually(() => Task.FromResult(nodes.Sum(node => node.Probe[Joined]) >= 2 * joined), "two follow");
            Assert.All(await KeysOf(nodes[0], key), found => Assert.InRange(found.Value, 1, 5000));
            gate.Open();
            await Task.WhenAll(calls).Soon();
            Assert.All(await KeysOf(nodes[0], key), found => Assert.InRange(found.Value, 0, 5000));
        }

        await Eventually(async () =>
        {
            var left = await Server.KeysAsync();
            return !Enumerable.Range(0, 20).Any(key => left.Keys.Any(name => name.StartsWith(nodes[0].Group.Identity.IndexOf(key), StringComparison.Ordinal)));
        }, "no key is left");
    }

    [Fact]
    public async Task Keys_OfAnUncontendedFlight_AreGoneAtOnce_WithoutAnOutcome()
    {
        var node = await StartAsync<int>();
        Assert.Equal(1, await node.Call("key", async _ =>
        {
            var keys = await KeysOf(node, "key");
            Assert.Equal(2, keys.Count);
            Assert.All(keys, found => Assert.InRange(found.Value, 1, 5000));
            return 1;
        }).Soon());
        await Eventually(async () => (await KeysOf(node, "key")).Count == 0, "no key is left");
    }

    [Fact]
    public async Task Channels_OnePerConnection()
    {
        var node = await StartAsync<int>();
        for (var i = 0; i < 10; i++)
        {
            await node.Call(i, i).Soon();
        }

        var channels = (string[])(await Server.Database.ExecuteAsync("PUBSUB", "CHANNELS", node.Group.Engine.Inbox.WireName[..40] + "*"))!;
        Assert.Equal([node.Group.Engine.Inbox.WireName], channels);
        Assert.Matches("^polly-sf:\\{[0-9a-f]{64}\\}", node.Group.Engine.Inbox.WireName);
    }

    [Fact]
    public async Task Prefixes_OfTheConnection_AreRespected()
    {
        await using var first = await ConnectionMultiplexer.ConnectAsync(Server.Configuration + ",channelPrefix=tenant:,asyncTimeout=60000");
        await using var second = await ConnectionMultiplexer.ConnectAsync(Server.Configuration + ",channelPrefix=tenant:,asyncTimeout=60000");
        Node<int>[] nodes = [await StartAsync<int>(connection: first), await StartAsync<int>(connection: second)];
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        Assert.StartsWith("tenant:polly-sf:", nodes[0].Group.Engine.Inbox.WireName);
        await Eventually(() => Task.FromResult(nodes[0].Group.Led.Any(led => led.IsAwaited)), "messages come in");
        gate.Open();
        Assert.All(await Task.WhenAll(calls), result => Assert.Equal(1, result));
    }

    private static ProfilingSession Profile<T>(Node<T> node)
    {
        var session = new ProfilingSession();
        node.Connection.RegisterProfiler(() => session);
        return session;
    }
}
