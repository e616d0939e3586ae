namespace Polly.SingleFlight.Caching.Tests;

/// <summary>One context for several executions: what the first left on it does not reach the next.</summary>
public sealed class ReusedContextTests : CacheTest
{
    [Fact]
    public async Task FollowerFirst_ThenAFlightOutsideTheCache_GetsItsOwnKeysValue()
    {
        var tenant = "";
        var pipeline = new ResiliencePipelineBuilder<string> { TimeProvider = Clock }
            .AddSingleFlight(new SingleFlightStrategyOptions<string> { KeyGenerator = _ => new(tenant) })
            .AddCache(Memory, Counted<string>())
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()))
            .Build();
        var gate = new Gate();
        var leader = Fetch(pipeline, "A", gate);
        await Probe.Reached(Upstream, 1);
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        context.SetSingleFlightKey("A");
        var follower = pipeline.ExecuteAsync(_ => new ValueTask<string>("own"), context).AsTask();
        await Probe.Reached(Joined, 1);
        gate.Open();
        Assert.Equal(await leader, await follower);

        tenant = "tenant";
        context.SetSingleFlightKey("B");

        Assert.Equal("value of B", await pipeline.ExecuteAsync(_ => new ValueTask<string>("value of B"), context));
        ResilienceContextPool.Shared.Return(context);
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Hit_ShowsNoResultOfAnEarlierExecution(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        context.SetSingleFlightKey("key");

        await pipeline.ExecuteAsync(_ => new ValueTask<string>("value"), context);
        Assert.Equal(SingleFlightRole.Leader, context.GetSingleFlightResult()?.Role);
        await pipeline.ExecuteAsync(_ => new ValueTask<string>("another"), context);

        Assert.Null(context.GetSingleFlightResult());
        ResilienceContextPool.Shared.Return(context);
    }
}
