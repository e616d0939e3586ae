namespace Polly.SingleFlight.Redis.Tests;

/// <summary>What a node goes on doing when a caller has returned has nothing of this caller.</summary>
public sealed class IsolationTests(RedisServer server) : DistributedTest(server)
{
    private static readonly AsyncLocal<object?> s_local = new();

    /// <summary>From then on Redis is asked in the background until it answers, and the command that it did not answer is still on its way.</summary>
    [Fact]
    public async Task CallerThatFoundRedisHanging_HasReturned_NothingOfItsExecutionContextIsKept()
    {
        await using var proxy = new Proxy(Server.Configuration);
        await using var connection = await proxy.ConnectAsync(",syncTimeout=600000,asyncTimeout=600000");
        var options = new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(1) };
        var node = await StartAsync(options, connection: connection);
        await node.Call("key", 0).Soon();
        proxy.Hang();
        var kept = await CallAsync(node);
        Assert.Equal(1, node.Bypassed(DistributedBypassReason.Unavailable));
        await Eventually(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return Task.FromResult(!kept.IsAlive);
            },
            "the value of the caller's AsyncLocal is gone");
        proxy.Continue();
    }

    private static Task<WeakReference> CallAsync(Node<int> node) => Task.Run(async () =>
    {
        s_local.Value = new object();
        var kept = new WeakReference(s_local.Value);
        Assert.Equal(1, await node.Call("key", 1).Soon());
        return kept;
    });
}
