using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>Connections that put something in front of each key, or of each channel, as several applications on one server do.</summary>
public sealed class PrefixTests(RedisServer server) : DistributedTest(server)
{
    private readonly List<ConnectionMultiplexer> _connections = [];

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task KeyPrefix_IsInFrontOfEachKey_AndNodesWithItShareFlights()
    {
        var node = await StartAsync<string>(connection: PrefixedConnection.Create(await ConnectAsync(), "app-a:"));
        var other = await StartAsync<string>(connection: PrefixedConnection.Create(await ConnectAsync(), "app-a:"));
        var stranger = await StartAsync<string>(connection: PrefixedConnection.Create(await ConnectAsync(), "app-b:"));
        var gate = new Gate();
        var calls = await FlyAsync([node, other], "key", async _ =>
        {
            await gate.Opened;
            return "one";
        }, _ => Task.FromResult("own"));
        Assert.Equal("another", await stranger.Call("key", "another").Soon());

        var index = node.Group.Identity.IndexOf("key");
        var keys = (await Server.KeysAsync()).Keys.Where(key => key.Contains(index, StringComparison.Ordinal)).ToArray();
        Assert.Contains(keys, static key => key.StartsWith("app-a:", StringComparison.Ordinal));
        Assert.All(keys, static key => Assert.Matches("^app-[ab]:polly-sf:", key));
        Assert.True(await other.Group.ForgetAsync("key"));
        Assert.Equal("afresh", await other.Call("another flight", "afresh").Soon());
        gate.Open();
        Assert.Equal(["one", "one"], await Task.WhenAll(calls));
    }

    [Fact]
    public async Task ChannelPrefix_MessagesComeIn()
    {
        var nodes = new[] { await ConnectedAsync(), await ConnectedAsync() };
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return "one";
        }, _ => Task.FromResult("own"));
        await Eventually(() => Task.FromResult(nodes[0].Group.Led.Any(static led => led.IsAwaited)), "the leader has heard of the follower, by a message");
        gate.Open();
        Assert.Equal(["one", "one"], await Task.WhenAll(calls));

        async Task<Node<string>> ConnectedAsync()
        {
            var options = ConfigurationOptions.Parse(Server.Connection.Configuration);
            options.ChannelPrefix = RedisChannel.Literal("app:");
            _connections.Add(await ConnectionMultiplexer.ConnectAsync(options));
            return await StartAsync<string>(connection: _connections[^1]);
        }
    }

    private async Task<ConnectionMultiplexer> ConnectAsync()
    {
        _connections.Add(await Server.ConnectAsync());
        return _connections[^1];
    }
}
