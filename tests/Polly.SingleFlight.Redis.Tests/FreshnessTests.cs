namespace Polly.SingleFlight.Redis.Tests;

/// <summary>Newcomers that start afresh, and executions inside each other.</summary>
public sealed class FreshnessTests(RedisServer server) : DistributedTest(server)
{
    [Fact]
    public async Task Forget_NewcomersOfAllNodesStartAfresh_PresentCallersKeepTheirs_AlsoPastTheLease()
    {
        var lease = TimeSpan.FromSeconds(0.5);
        var nodes = await StartAllAsync(4, () => new DistributedSingleFlightStrategyOptions<int> { Lease = lease, CommandTimeout = TimeSpan.FromSeconds(20) });
        var gate = new Gate();
        var calls = await FlyAsync(nodes[..2], "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(-1));
        Assert.True(await nodes[3].Group.ForgetAsync("key"));
        Assert.Equal(2, await nodes[2].Call("key", 2).Soon());

        await PassesOnTheServer(3 * lease);
        Assert.Equal(3, await nodes[3].Call("key", 3).Soon());
        Assert.False(calls[1].IsCompleted);
        gate.Open();
        Assert.All(await Task.WhenAll(calls), result => Assert.Equal(1, result));
        await LeavesNothingAsync(nodes[0]);
    }

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
            await PassesOnTheServer(TimeSpan.FromSeconds(0.25));
            gate.Open();

            Assert.All(await Task.WhenAll([leader, first, .. others]), result => Assert.Equal($"old {number}", result));
        }

        Assert.Equal((3, 0), (nodes[0].Executions, nodes[1].Executions));
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
        var nodes = await StartAllAsync(2, () => new DistributedSingleFlightStrategyOptions<int> { Lease = TimeSpan.FromSeconds(0.5), CommandTimeout = TimeSpan.FromSeconds(20) });
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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nested_ItsOwnKey_RunsAlone(bool local)
    {
        var node = await StartAsync<int>(local: local);
        var other = new ResiliencePipelineBuilder<int>().AddDistributedSingleFlight(node.Group, Node<int>.Patient()).Build();
        Assert.Equal(1, await node.Call("key", async token => await other.ExecuteSingleFlightAsync("key", _ => new ValueTask<int>(1), token)).Soon());
        Assert.Equal(2, await node.Call("key", async _ => await node.Call("key", 2)).Soon());
    }

    [Fact]
    public async Task Nested_ThroughAHopWithoutExecutionContext_IsKnownByTheContext()
    {
        var node = await StartAsync<int>();
        var context = ResilienceContextPool.Shared.Get();
        context.SetSingleFlightKey("key");
        var outcome = await node.Pipeline.ExecuteAsync(async inside =>
        {
            Task<int> hop;
            using (ExecutionContext.SuppressFlow())
            {
                hop = Task.Run(async () => await node.Pipeline.ExecuteAsync(_ => new ValueTask<int>(4), inside));
            }

            return await hop;
        }, context).AsTask().Soon();
        Assert.Equal(4, outcome);
        ResilienceContextPool.Shared.Return(context);
    }

    [Fact]
    public async Task Nested_OtherKey_Leads_AndAfterwardsTheKeyIsFreeAgain()
    {
        var node = await StartAsync<int>();
        Assert.Equal(3, await node.Call("outer", async _ => await node.Call("inner", 1) + await node.Call("inner", 2)).Soon());
        Assert.Equal(3, node.Listener.Count(Led));
        Assert.Equal(0, node.Listener.Count(Bypassed));
    }

    [Fact]
    public async Task TwoFlows_ThatCross_EndWithinMaxWait()
    {
        var options = () => new DistributedSingleFlightStrategyOptions<int> { MaxWait = TimeSpan.FromSeconds(0.5), CommandTimeout = TimeSpan.FromSeconds(20) };
        var nodes = await StartAllAsync(2, options);
        var both = new[] { new Gate(), new Gate() };
        var first = nodes[0].Call("a", async _ =>
        {
            both[0].Open();
            await both[1].Opened;
            return await nodes[0].Call("b", 1);
        });
        var second = nodes[1].Call("b", async _ =>
        {
            both[1].Open();
            await both[0].Opened;
            return await nodes[1].Call("a", 2);
        });
        await first.Soon();
        await second.Soon();
        Assert.NotEqual(0, nodes[0].Bypassed(DistributedBypassReason.MaxWait) + nodes[1].Bypassed(DistributedBypassReason.MaxWait));
    }

    [Fact]
    public async Task NoKey_CallsWithoutRedis()
    {
        var node = await StartAsync<int>();
        Assert.Equal(1, await node.Pipeline.ExecuteAsync(_ => new ValueTask<int>(1)));
        var report = Assert.Single(node.Listener.Reports, report => report.Name == Bypassed);
        Assert.Equal((Polly.Telemetry.ResilienceEventSeverity.Debug, "NoKey"), (report.Severity, report.Arguments));
    }

    private async Task LeavesNothingAsync<T>(Node<T> node) =>
        await Eventually(async () => (await KeysOf(node, "key")).Count == 0, "no key is left");
}
