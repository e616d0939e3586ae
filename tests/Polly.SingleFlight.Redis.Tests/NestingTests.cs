namespace Polly.SingleFlight.Redis.Tests;

/// <summary>Executions inside each other, and what has no key.</summary>
public sealed class NestingTests(RedisServer server) : DistributedTest(server)
{
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
}
