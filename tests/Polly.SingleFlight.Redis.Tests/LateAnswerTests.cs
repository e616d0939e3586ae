using Polly.SingleFlight.Redis.Strategy;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>A command whose answer is late while Redis answers others: Redis is busy and does not hang.</summary>
public sealed class LateAnswerTests(RedisServer server) : DistributedTest(server)
{
    private readonly Gate _late = new();
    private readonly Probe _held = new();
    private readonly List<ConnectionMultiplexer> _connections = [];

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }
    }

    [Fact]
    public async Task Newcomer_WhoseAnswerIsLate_RunsAlone_AndNobodyElseDoes()
    {
        var node = await StartSlowAsync(followed => followed is "" && Number("late") == 2);
        await node.Call("warm", 0).Soon();
        var slow = node.Call("slow", 1);
        await _held.Reached("late", 2);
        Assert.Equal(0, await OthersUntilAsync(node, slow));
        Assert.Equal(1, await slow.Soon());
        Assert.Equal(1, node.Bypassed(DistributedBypassReason.Unavailable));
        await node.Call("slow", 2).Soon();
        Assert.Equal(1, node.Bypassed(DistributedBypassReason.Unavailable));
        _late.Open();
    }

    [Fact]
    public async Task Look_WhoseAnswerIsLate_IsRepeated()
    {
        var leader = await StartAsync<int>();
        var follower = await StartSlowAsync(followed => followed is { Length: > 0 } && Number("look") == 1);
        var gate = new Gate();
        var calls = await FlyAsync([leader, follower], "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        Assert.Equal(0, await OthersUntilAsync(follower, _held.Reached("look", 2)));
        gate.Open();
        int[] results = await Task.WhenAll(calls).Soon();
        Assert.Equal([1, 1], results);
        _late.Open();
    }

    [Fact]
    public async Task Outcome_WhoseAnswerIsLate_IsFetchedAgain()
    {
        var leader = await StartAsync<int>();
        var isEnding = false;
        var follower = await StartSlowAsync(followed => followed is { Length: > 0 } && Volatile.Read(ref isEnding) && Number("fetch") == 1);
        var gate = new Gate();
        var calls = await FlyAsync([leader, follower], "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        await Eventually(() => Task.FromResult(leader.Group.Led.Any(static led => led.IsAwaited)), "the leader has heard of the follower");
        Volatile.Write(ref isEnding, true);
        gate.Open();
        Assert.Equal(0, await OthersUntilAsync(follower, calls[1]));
        int[] results = await Task.WhenAll(calls).Soon();
        Assert.Equal([1, 1], results);
        Assert.True(_held["fetch"] >= 2);
        _late.Open();
    }

    [Fact]
    public async Task Outcome_WhoseAnswerIsAlwaysLate_IsGivenUp()
    {
        var node = await StartAsync<int>();
        await node.Call("open", 0).Soon();
        using var follower = new Follower(node.Group.Engine.Inbox, TimeProvider.System, System.Threading.Timeout.InfiniteTimeSpan);
        Assert.False(follower.MayAskAgain);
        follower.Join("leader", 1);
        Assert.True(follower.MayAskAgain);
        var stranger = new Stranger(Server, node.Group, "key", typeof(int));
        await stranger.TellAsync('O', "leader 1");
        Assert.True(await follower.WaitAsync(TimeSpan.FromMinutes(1), default));
        for (var late = 0; late < 3; late++)
        {
            Assert.True(follower.MayAskAgain);
            Assert.True(await follower.WaitAgainAsync(default));
        }

        Assert.False(follower.MayAskAgain);
    }

    [Fact]
    public async Task Subscription_WhoseAnswerIsLate_CostsOneTimeoutOnce_AndIsUsedWhenItCame()
    {
        var node = await StartSlowAsync(static followed => followed is null);
        Assert.Equal(1, await node.Call("key", 1).Soon());
        var begin = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(i, await node.Call("key", i).Soon());
        }

        Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(4), "A subscription that is known to be late costs something.");
        Assert.Equal(0, node.Listener.Count(Led));
        _late.Open();
        await Eventually(async () =>
        {
            await node.Call("key", 2).Soon();
            return node.Listener.Count(Led) > 0;
        }, "Redis is used again");
    }

    private async Task<Node<int>> StartSlowAsync(Func<string?, bool> isLate)
    {
        var inner = await Server.ConnectAsync();
        _connections.Add(inner);
        var connection = SlowAnswers.Create(inner, followed => isLate(followed) ? _late.Opened : null);
        return await StartAsync(new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(4) }, connection: connection);
    }

    private int Number(string name)
    {
        _held.Hit(name);
        return _held[name];
    }

    /// <summary>Makes calls with other keys until a task has ended.</summary>
    /// <returns>How many of them ran alone.</returns>
    private static async Task<int> OthersUntilAsync(Node<int> node, Task end)
    {
        var calls = 0;
        var led = node.Listener.Count(Led);
        while (!end.IsCompleted)
        {
            await node.Call($"other {calls++}", 0).Soon();
            await Task.Delay(5);
        }

        return calls - (node.Listener.Count(Led) - led);
    }
}
