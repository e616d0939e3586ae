namespace Polly.SingleFlight.Redis.Tests;

/// <summary>Flights that newcomers do not join: forgotten ones, and old ones.</summary>
public sealed class FreshnessTests(RedisServer server) : DistributedTest(server)
{
    [Fact]
    public async Task Forget_NewcomersOfAllNodesStartAfresh_PresentCallersKeepTheirs_AlsoPastTheLease()
    {
        var lease = TimeSpan.FromSeconds(4);
        var nodes = await StartAllAsync(4, () => new DistributedSingleFlightStrategyOptions<int> { Lease = lease, CommandTimeout = TimeSpan.FromSeconds(20) });
        var gate = new Gate();
        var calls = await FlyAsync(nodes[..2], "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(-1));
        Assert.True(await nodes[3].Group.ForgetAsync("key"));
        Assert.Equal(2, await nodes[2].Call("key", 2).Soon());

        await PassesOnTheServer(1.5 * lease);
        Assert.Equal(3, await nodes[3].Call("key", 3).Soon());
        Assert.False(calls[1].IsCompleted);
        gate.Open();
        Assert.All(await Task.WhenAll(calls), result => Assert.Equal(1, result));
        await LeavesNothingAsync(nodes[0]);
    }

    [Fact]
    public async Task Forget_ByAGroupWithoutPipelines_IsOfAllVersionsAndTypes()
    {
        var options = Node<int>.Patient();
        options.Version = 2;
        var numbers = await StartAsync(options);
        var texts = await StartAsync<string>();
        var otherNumbers = await StartAsync(options);
        await using var forgetting = new RedisSingleFlightGroup(Server.Connection, Scope);
        var gate = new Gate();
        var number = numbers.Call("key", async _ =>
        {
            await gate.Opened;
            return 1;
        });
        var text = texts.Call("key", async _ =>
        {
            await gate.Opened;
            return "1";
        });
        await numbers.Probe.Reached("callback", 1);
        await texts.Probe.Reached("callback", 1);
        Assert.True(await forgetting.ForgetAsync("key"));
        Assert.True(await forgetting.ForgetAsync("key without a flight"));
        Assert.Equal(2, await otherNumbers.Call("key", 2).Soon());
        gate.Open();
        Assert.Equal((1, "1"), (await number.Soon(), await text.Soon()));
        await LeavesNothingAsync(numbers);
    }

    [Fact]
    public async Task Forget_LeaderIsLost_ItsFollowersElect()
    {
        var nodes = await StartAllAsync(2, () => new DistributedSingleFlightStrategyOptions<int> { Lease = TimeSpan.FromSeconds(1.5), CommandTimeout = TimeSpan.FromSeconds(20) });
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        await nodes[0].Group.ForgetAsync("key");
        foreach (var key in (await KeysOf(nodes[0], "key")).Keys)
        {
            await Server.Database.KeyDeleteAsync(key);
        }

        Assert.Equal(2, await calls[1]);
        gate.Open();
        Assert.Equal(1, await calls[0]);
    }

    [Fact]
    public async Task MaxJoinAge_LaterCallersStartAnother_TheOldFlightKeepsItsCallers()
    {
        var impatient = Node<int>.Patient();
        impatient.MaxJoinAge = TimeSpan.FromMilliseconds(1);
        var nodes = await StartAllAsync<int>(2);
        var young = await StartAsync(impatient);
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(-1));

        await PassesOnTheServer(impatient.MaxJoinAge);
        Assert.Equal(2, await young.Call("key", 2).Soon());
        Assert.Equal(0, young.Listener.Count(Joined));
        gate.Open();
        Assert.All(await Task.WhenAll(calls), result => Assert.Equal(1, result));
        await LeavesNothingAsync(nodes[0]);
    }

    [Fact]
    public async Task MaxJoinAge_YoungerFlights_AreJoined()
    {
        var options = () =>
        {
            var all = Node<int>.Patient();
            all.MaxJoinAge = TimeSpan.FromMinutes(5);
            return all;
        };
        var nodes = await StartAllAsync(2, options);
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        gate.Open();
        Assert.All(await Task.WhenAll(calls), result => Assert.Equal(1, result));
    }

    private async Task LeavesNothingAsync<T>(Node<T> node) =>
        await Eventually(async () => (await KeysOf(node, "key")).Count == 0, "no key is left");
}
