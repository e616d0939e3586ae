namespace Polly.SingleFlight.Redis.Tests;

/// <summary>What a node begins for all its callers has nothing of the caller that set it off.</summary>
public sealed class IsolationTests(RedisServer server) : DistributedTest(server)
{
    private static readonly AsyncLocal<object?> s_local = new();

    /// <summary>The first call of a node opens its inbox, which lasts as long as the node.</summary>
    [Fact]
    public async Task FirstCaller_HasReturned_NothingOfItsExecutionContextIsKept()
    {
        var node = await StartAsync<int>();
        var kept = await CallAsync(node);
        await Eventually(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return Task.FromResult(!kept.IsAlive);
            },
            "the value of the caller's AsyncLocal is gone");
        Assert.True(node.Group.Engine.Inbox.IsOpen);
    }

    private static Task<WeakReference> CallAsync(Node<int> node) => Task.Run(async () =>
    {
        s_local.Value = new object();
        var kept = new WeakReference(s_local.Value);
        await node.Call("key", 1).Soon();
        s_local.Value = null;
        return kept;
    });
}
