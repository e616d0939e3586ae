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
        var connection = await ConnectAsync(proxy);
        var node = await StartAsync(Impatient(), connection: connection);
        await IsAnsweredAsync(node);
        var bypassed = node.Bypassed(DistributedBypassReason.Unavailable);
        proxy.Hang();
        var kept = await RememberAsync(async () => Assert.Equal(1, await node.Call("key", 1).Soon()));
        Assert.Equal(bypassed + 1, node.Bypassed(DistributedBypassReason.Unavailable));
        await IsGone(kept);
    }

    /// <summary>The end of its flight is repeated until Redis confirms it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CallerWhoseEndIsNotConfirmed_HasReturned_NothingOfItsExecutionContextIsKept(bool isAwaited)
    {
        await using var proxy = new Proxy(Server.Configuration);
        var connection = await ConnectAsync(proxy);
        var leader = await StartAsync(Impatient(), connection: connection);
        var follower = await StartAsync<int>();
        await IsAnsweredAsync(leader);
        var (called, gate) = (new Gate(), new Gate());
        var remembering = RememberAsync(async () => Assert.Equal(1, await leader.Call("key", async _ =>
        {
            called.Open();
            await gate.Opened;
            return 1;
        }).Soon()));
        await called.Opened.Soon();
        var following = isAwaited ? follower.Call("key", 2).Soon() : Task.FromResult(1);
        if (isAwaited)
        {
            var led = leader.Group.Led.Single();
            await Eventually(() => Task.FromResult(led.IsAwaited), "the leader has heard of the follower");
        }

        proxy.Hang();
        gate.Open();
        await IsGone(await remembering);
        proxy.Continue();
        Assert.Equal(1, await following);
    }

    /// <summary>That its flight is given up is repeated too.</summary>
    [Fact]
    public async Task CallerThatLeaves_WhileRedisHangs_NothingOfItsExecutionContextIsKept()
    {
        await using var proxy = new Proxy(Server.Configuration);
        var connection = await ConnectAsync(proxy);
        var node = await StartAsync(Impatient(), connection: connection);
        await IsAnsweredAsync(node);
        var led = node.Listener.Count(Led);
        var kept = await RememberAsync(async () =>
        {
            using var leaving = new CancellationTokenSource();
            var call = node.Call("key", async token =>
            {
                proxy.Hang();
                await leaving.CancelAsync();
                token.ThrowIfCancellationRequested();
                return 1;
            }, leaving.Token).Soon();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        });
        Assert.Equal(1, node.Listener.Count(Led) - led);
        await IsGone(kept);
        proxy.Continue();
        Assert.Equal(2, await node.Call("key", 2).Soon());
    }

    private static Task<ConnectionMultiplexer> ConnectAsync(Proxy proxy) => proxy.ConnectAsync();

    private static DistributedSingleFlightStrategyOptions<int> Impatient() => new() { CommandTimeout = TimeSpan.FromSeconds(3), Lease = TimeSpan.FromMinutes(1) };

    /// <summary>Calls with a value in an AsyncLocal that nothing else refers to.</summary>
    private static Task<WeakReference> RememberAsync(Func<Task> call) => Task.Run(async () =>
    {
        s_local.Value = new object();
        var kept = new WeakReference(s_local.Value);
        await call();
        return kept;
    });

    /// <summary>Before the lease is over, at which nothing is repeated any more.</summary>
    private static Task IsGone(WeakReference kept) => Eventually(
        () =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return Task.FromResult(!kept.IsAlive);
        },
        "the value of the caller's AsyncLocal is gone",
        TimeSpan.FromSeconds(20));
}
