using Polly.SingleFlight.Redis.Engine;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>Nobody who comes when a caller of any node holds an outcome receives it, whatever flight of its own node it joins.</summary>
public sealed class LateCallerTests(RedisServer server) : DistributedTest(server)
{
    /// <summary>A node that follows hears of the end a moment after a caller of the leading node holds the outcome. Who joins the local flight in that moment is too late.</summary>
    [Fact]
    public async Task Newcomer_OfAFollowingNode_WhenACallerHoldsTheOutcome_GetsAnother()
    {
        var nodes = await StartAllAsync<string>(3);
        for (var round = 0; round < 100; round++)
        {
            var gate = new Gate();
            var number = round;
            var executed = nodes[0].Probe["callback"];
            var joined = nodes[1..].Select(static node => node.Probe[Joined]).ToArray();
            var leader = nodes[0].Call("key", async _ =>
            {
                await gate.Opened;
                return $"old {number}";
            }).Soon();
            await nodes[0].Probe.Reached("callback", executed + 1);
            var followers = nodes[1..].Select(node => node.Call("key", $"own {number}").Soon()).ToArray();
            for (var i = 0; i < followers.Length; i++)
            {
                await nodes[i + 1].Probe.Reached(Joined, joined[i] + 1);
            }

            gate.Open();
            Assert.Equal($"old {number}", await leader);
            var newcomers = nodes[1..].Select(node => node.Call("key", $"new {number}").Soon()).ToArray();

            Assert.All(await Task.WhenAll(newcomers), result => Assert.Equal($"new {number}", result));
            Assert.All(await Task.WhenAll(followers), result => Assert.Equal($"old {number}", result));
        }
    }

    /// <summary>The leading node's own flight can be joined after its end in Redis, for as long as a strategy between takes its time.</summary>
    [Fact]
    public async Task Newcomer_OfTheLeadingNode_WhenACallerHoldsTheOutcome_GetsAnother()
    {
        var nodes = await StartAllAsync<string>(2);
        var (gate, judging, judged, joined) = (new Gate(), new Gate(), new Gate(), new Gate());
        var slow = new ResiliencePipelineBuilder<string>()
            .AddSingleFlight(new SingleFlightStrategyOptions<string>
            {
                OnFlightJoined = _ =>
                {
                    joined.Open();
                    return default;
                },
            })
            .AddRetry(new()
            {
                ShouldHandle = async _ =>
                {
                    judging.Open();
                    await judged.Opened;
                    return false;
                },
            })
            .AddDistributedSingleFlight(nodes[0].Group, Node<string>.Patient())
            .Build();
        var called = new Gate();
        var leader = slow.ExecuteSingleFlightAsync("key", async _ =>
        {
            called.Open();
            await gate.Opened;
            return "old";
        }).AsTask().Soon();
        await called.Opened.Soon();
        var follower = nodes[1].Call("key", "own").Soon();
        await nodes[1].Probe.Reached(Joined, 1);
        gate.Open();
        Assert.Equal("old", await follower);
        await judging.Opened.Soon();

        var newcomer = slow.ExecuteSingleFlightAsync("key", _ => new ValueTask<string>("new")).AsTask().Soon();
        await joined.Opened.Soon();
        judged.Open();
        Assert.Equal(("old", "new"), (await leader, await newcomer));
    }

    /// <summary>Those who had joined a following node's flight before get the outcome, if they came earlier than a command may take to Redis.</summary>
    [Fact]
    public async Task Callers_OfAFollowingNode_ThatCameBefore_GetTheOutcome()
    {
        var nodes = await StartAllAsync<string>(2);
        for (var round = 0; round < 3; round++)
        {
            var gate = new Gate();
            var number = round;
            var executed = nodes[0].Probe["callback"];
            var joined = nodes[1].Probe[Joined];
            var leader = nodes[0].Call("key", async _ =>
            {
                await gate.Opened;
                return $"old {number}";
            }).Soon();
            await nodes[0].Probe.Reached("callback", executed + 1);
            var first = nodes[1].Call("key", "own").Soon();
            await nodes[1].Probe.Reached(Joined, joined + 1);
            var others = Enumerable.Range(0, 5).Select(_ => nodes[1].Call("key", "own").Soon()).ToArray();
            var cameBefore = TimeProvider.System.GetTimestamp();
            await Eventually(
                async () => nodes[1].Group.Engine.LastBefore(nodes[0].Group.Led.Single().Name, await MicrosecondsOfTheServer()) > cameBefore,
                "the node knows that the callers came before this time of the server");
            gate.Open();

            Assert.All(await Task.WhenAll([leader, first, .. others]), result => Assert.Equal($"old {number}", result));
        }

        Assert.Equal((3, 0), (nodes[0].Executions, nodes[1].Executions));
    }

    /// <summary>
    /// The leader's end is on its way for longer than its caller is held. When Redis hears it, it is not the time of that moment that counts, but the one at which the caller was let go.
    /// </summary>
    [Fact]
    public async Task Newcomer_WhenTheEndIsHeardAfterACallerWasLetGo_GetsAnother()
    {
        await using var proxy = new Proxy(Server.Configuration);
        var connection = await proxy.ConnectAsync();
        var options = new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(3), Lease = TimeSpan.FromMinutes(1) };
        var leader = await StartAsync(options, connection: connection);
        var follower = await StartAsync<int>();
        var gate = new Gate();
        var calls = await FlyAsync([leader, follower], "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        var led = leader.Group.Led.Single();
        await Eventually(() => Task.FromResult(led.IsAwaited), "the leader has heard of the follower");
        proxy.Hang();
        gate.Open();
        Assert.Equal(1, await calls[0]);

        var newcomer = follower.Call("key", 3).Soon();
        proxy.Continue();
        Assert.Equal((1, 3), (await calls[1], await newcomer));
    }

    /// <summary>The leader's connection breaks when its end is on the way. Redis may hear it later, so its caller is held as long as if there were no answer.</summary>
    [Fact]
    public async Task Newcomer_WhenTheEndIsHeardAfterItsConnectionBroke_GetsAnother()
    {
        await using var inner = await Server.ConnectAsync();
        Func<Task>? hear = null;
        var isWhole = false;
        var connection = InterceptedScripts.Create(inner, (script, send) =>
        {
            if (script != Scripts.End || Volatile.Read(ref isWhole))
            {
                return send();
            }

            hear ??= send;
            return Task.FromException<RedisResult>(new RedisException("The test has cut it."));
        });
        var options = new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(3), Lease = TimeSpan.FromMinutes(1) };
        var leader = await StartAsync(options, connection: connection);
        var follower = await StartAsync<int>();
        var gate = new Gate();
        var calls = await FlyAsync([leader, follower], "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        var led = leader.Group.Led.Single();
        await Eventually(() => Task.FromResult(led.IsAwaited), "the leader has heard of the follower");
        gate.Open();
        Assert.Equal(1, await calls[0]);

        var newcomer = follower.Call("key", 3).Soon();
        var came = TimeProvider.System.GetTimestamp();
        await Eventually(
            async () => follower.Group.Engine.LastBefore(led.Name, await MicrosecondsOfTheServer()) > came, "the node could not tell by its clock that the newcomer came too late");
        Volatile.Write(ref isWhole, true);
        await hear!();
        Assert.Equal((1, 3), (await calls[1], await newcomer));
    }
}
