using Polly.Fallback;
using Polly.Retry;

namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>What stands between cache and single flight, or beside them.</summary>
public class CompositionTests(RedisServer redis) : RealCacheTest(redis)
{
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task TwoPipelinesJoined_CoalesceAndKeep(CacheKind kind)
    {
        var inner = new ResiliencePipelineBuilder<string> { TimeProvider = Clock }.AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>())).Build();
        var pipeline = NewNode(kind).Add(Builder<string>(), Counted<string>()).AddPipeline(inner).Build();

        await AssertCoalescesAndKeeps(pipeline);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task TimeoutBetween_CoalesceAndKeep(CacheKind kind)
    {
        var pipeline = NewNode(kind).Add(Builder<string>(), Counted<string>())
            .AddTimeout(TimeSpan.FromMinutes(10))
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()))
            .Build();

        await AssertCoalescesAndKeeps(pipeline);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task RetryBetween_FailureThenResult_IsKept(CacheKind kind)
    {
        var pipeline = NewNode(kind).Add(Builder<string>(), Counted<string>())
            .AddRetry(new RetryStrategyOptions<string> { Delay = TimeSpan.Zero, MaxRetryAttempts = 2 })
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()))
            .Build();
        var attempts = 0;

        var value = (await Ask(pipeline, "k", _ => ++attempts < 2 ? throw new InvalidOperationException("upstream failed") : Task.FromResult("value"))).Value;

        Assert.Equal("value", value);
        Assert.Equal("value", await Read(pipeline, "k", "unused"));
        Assert.Equal(2, Probe[Upstream]);
    }

    /// <summary>What is changed on its way out is kept as callers get it, never as it was made.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task FallbackBetween_ChangedResultIsNotServedRaw(CacheKind kind)
    {
        var pipeline = NewNode(kind).Add(Builder<string>(), Counted<string>())
            .AddFallback(new FallbackStrategyOptions<string>
            {
                ShouldHandle = static args => new(args.Outcome.Result?.StartsWith("raw", StringComparison.Ordinal) == true),
                FallbackAction = static args => Outcome.FromResultAsValueTask("changed " + args.Outcome.Result),
            })
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()))
            .Build();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("changed raw", await Read(pipeline, $"key {i}", "raw"));
            Assert.Equal("changed raw", await Read(pipeline, $"key {i}", "unused"));
        }

        Assert.Equal(3, Probe[Upstream]);
        Assert.Equal("fine", await Read(pipeline, "fine", "fine"));
        Assert.Equal("fine", await Read(pipeline, "fine", "unused"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task FallbackBetween_ForAFailure_IsNotKept(CacheKind kind)
    {
        var pipeline = NewNode(kind).Add(Builder<string>(), Counted<string>())
            .AddFallback(new FallbackStrategyOptions<string> { FallbackAction = static _ => Outcome.FromResultAsValueTask("fallback") })
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()))
            .Build();

        Assert.Equal("fallback", await Fail(pipeline, "k"));

        Assert.Equal("value", await Read(pipeline, "k", "value"));
        Assert.Equal("value", await Read(pipeline, "k", "unused"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task NestedPipelines_EachWithItsCache_Keep(CacheKind kind)
    {
        var node = NewNode(kind);
        var outer = Cached(node, Counted<string>(configure: options => options.Scope = "outer" + Prefix));
        var inner = Cached(node, Counted<string>(configure: options => options.Scope = "inner" + Prefix), group: new SingleFlightGroup());

        Assert.Equal("value", await Nested());
        Assert.Equal("value", await Nested());
        Assert.Equal("value", await Read(inner, "k", "unused"));
        Assert.Equal(2, Probe[Upstream]);

        async Task<string> Nested() => (await Ask(outer, "k", _ => Read(inner, "k", "value"))).Value;
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task UntypedBuilder_SeveralTypes_AreKeptApart(CacheKind kind)
    {
        var pipeline = NewNode(kind).Add(new ResiliencePipelineBuilder { Name = Prefix, TimeProvider = Clock }, new CacheStrategyOptions<object>())
            .AddSingleFlight(Watched()).Build();

        Assert.Equal("text", await Make("text"));
        Assert.Equal(7, await Make(7));
        Assert.Equal("text", await Make("unused"));
        Assert.Equal(7, await Make(0));

        // Executions without a result are not cached.
        var ran = 0;
        for (var i = 0; i < 2; i++)
        {
            await pipeline.ExecuteAsync(_ =>
            {
                ran++;
                return default;
            });
        }

        Assert.Equal(2, ran);

        Task<T> Make<T>(T value) => Call(pipeline, "k", _ => Task.FromResult(value));
    }

    /// <summary>A shared group: the leader's pipeline has no cache, or another, and the follower's result is kept by the follower's.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task SharedGroup_LeaderWithoutCache_FollowerKeeps(CacheKind kind)
    {
        var without = Builder<string>("without").AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>())).Build();

        await AssertFollowerKeeps(without, Cached<string>(NewNode(kind)));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task SharedGroup_LeaderWithAnotherCache_BothKeep(CacheKind kind)
    {
        var another = Cached(NewNode(CacheKind.Memory), Counted<string>(configure: options => options.Lifetime = s_minute), name: "another");

        await AssertFollowerKeeps(another, Cached<string>(NewNode(kind)));

        Assert.Equal("value", await Read(another, "k", "unused"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task SharedGroup_LeaderLeaves_FollowerKeeps(CacheKind kind)
    {
        var without = Builder<string>("without").AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>())).Build();
        var with = Cached<string>(NewNode(kind));
        using var leaves = new CancellationTokenSource();
        var gate = new Gate();
        var leader = Read(without, "k", "value", gate, leaves.Token);
        await Probe.Reached(Upstream, 1);
        var follower = Read(with, "k", "unused");
        await Probe.Reached(Joined, 1);
        leaves.Cancel();
        await IsCanceledBy(leader, leaves.Token);
        gate.Open();
        await follower;

        Assert.Equal("value", await Read(with, "k", "unused"));
        Assert.Equal(1, Probe[Upstream]);
    }

    private async Task AssertFollowerKeeps(ResiliencePipeline<string> leaders, ResiliencePipeline<string> followers)
    {
        var gate = new Gate();
        var leader = Read(leaders, "k", "value", gate);
        await Probe.Reached(Upstream, 1);
        var follower = Ask(followers, "k", "unused");
        await Probe.Reached(Joined, 1);
        gate.Open();
        await leader;

        Assert.Equal("value", (await follower).Value);
        Assert.NotNull((await follower).Cache?.StoredAt);
        Assert.Equal("value", await Read(followers, "k", "unused"));
        Assert.Equal(1, Probe[Upstream]);
    }

    private async Task AssertCoalescesAndKeeps(ResiliencePipeline<string> pipeline)
    {
        var gate = new Gate();
        var callers = Enumerable.Range(0, 10).Select(_ => Read(pipeline, "k", "value", gate)).ToList();
        await Probe.Reached(Joined, 9);
        gate.Open();

        Assert.All(await Task.WhenAll(callers), value => Assert.Equal("value", value));
        Assert.Equal("value", await Read(pipeline, "k", "unused"));
        Assert.Equal(1, Probe[Upstream]);
    }
}
