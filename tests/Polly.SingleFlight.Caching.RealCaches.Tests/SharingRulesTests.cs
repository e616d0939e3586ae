namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>What single flight would not give to a newcomer is not kept, and where it makes copies every hit is one.</summary>
public class SharingRulesTests(RedisServer redis) : RealCacheTest(redis)
{
    private static readonly Func<ShouldSharePredicateArguments<Token>, ValueTask<bool>> s_notPersonal = static args => new(!args.Outcome.Result!.IsPersonal);

    private static readonly Func<ResultClonerArguments<Token>, ValueTask<Token>> s_copies =
        static args => new(new Token { Value = args.Result.Value, IsPersonal = args.Result.IsPersonal });

    public static TheoryData<CacheKind, UnsharedOutcome> Unshared()
    {
        var data = new TheoryData<CacheKind, UnsharedOutcome>();
        foreach (var kind in Enum.GetValues<CacheKind>())
        {
            data.Add(kind, UnsharedOutcome.ExecuteIndividually);
            data.Add(kind, UnsharedOutcome.ElectNewLeader);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ShouldShare_NobodyFollowed_PersonalResultIsNotKept(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), flight: new SingleFlightStrategyOptions<Token> { ShouldShare = s_notPersonal });

        await Read(pipeline, "k", Personal("mine"));

        Assert.Equal("yours", (await Read(pipeline, "k", Shared("yours"))).Value);
        Assert.Equal("yours", (await Read(pipeline, "k", Shared("unused"))).Value);
        Assert.Equal(2, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Unshared))]
    public async Task ShouldShare_WithFollower_PersonalResultIsNotKept(CacheKind kind, UnsharedOutcome outcome)
    {
        var pipeline = Cached(NewNode(kind), flight: new SingleFlightStrategyOptions<Token> { ShouldShare = s_notPersonal, UnsharedOutcome = outcome });
        var gate = new Gate();
        var leader = Read(pipeline, "k", Personal("leader's"), gate);
        await Probe.Reached(Upstream, 1);
        var follower = Read(pipeline, "k", Personal("follower's"));
        await Probe.Reached(Joined, 1);

        gate.Open();

        Assert.Equal("leader's", (await leader).Value);
        Assert.Equal("follower's", (await follower).Value);
        Assert.Equal("third's", (await Read(pipeline, "k", Personal("third's"))).Value);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ShouldShare_Refresh_PersonalResultIsNotKept(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<Token>(refreshes: true), new SingleFlightStrategyOptions<Token> { ShouldShare = s_notPersonal });
        await Read(pipeline, "k", Shared("first"));
        Clock.Advance(6 * s_minute);

        Assert.Equal("first", (await Read(pipeline, "k", Personal("mine"))).Value);
        await Probe.Reached(Refreshed, 1);

        Assert.Equal("first", (await Read(pipeline, "k", Shared("unused"))).Value);
        Assert.Equal(2, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ShouldShare_RefreshMode_PersonalResultIsNotKept(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), flight: new SingleFlightStrategyOptions<Token> { ShouldShare = s_notPersonal });
        await Read(pipeline, "k", Shared("first"));

        Assert.Equal("mine", (await Read(pipeline, "k", Personal("mine"), mode: CacheMode.Refresh)).Value);

        Assert.Equal("first", (await Read(pipeline, "k", Shared("unused"))).Value);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ShouldShare_Throws_ResultIsNotKept(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), flight: new SingleFlightStrategyOptions<Token> { ShouldShare = _ => throw new InvalidOperationException("from the predicate") });

        await Read(pipeline, "k", Shared("first"));

        Assert.Equal("second", (await Read(pipeline, "k", Shared("second"))).Value);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ResultCloner_NobodyFollowed_StoredValueIsACopy(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), flight: new SingleFlightStrategyOptions<Token> { ResultCloner = s_copies });

        var own = await Read(pipeline, "k", Shared("first"));
        own.Value = "changed by the first caller";

        Assert.Equal("first", (await Read(pipeline, "k", Shared("unused"))).Value);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ResultCloner_EveryHitIsACopy(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), flight: new SingleFlightStrategyOptions<Token> { ResultCloner = s_copies });
        await Read(pipeline, "k", Shared("first"));

        for (var i = 0; i < 3; i++)
        {
            var hit = await Read(pipeline, "k", Shared("unused"));
            Assert.Equal("first", hit.Value);
            hit.Value = "changed by a hit";
        }

        Assert.Equal(1, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ResultCloner_WithFollowers_EachHasACopyOfItsOwn(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), flight: new SingleFlightStrategyOptions<Token> { ResultCloner = s_copies });
        var gate = new Gate();
        var leader = Read(pipeline, "k", Shared("first"), gate);
        await Probe.Reached(Upstream, 1);
        var followers = Enumerable.Range(0, 3).Select(_ => Read(pipeline, "k", Shared("unused"))).ToList();
        await Probe.Reached(Joined, 3);
        gate.Open();

        Token[] all = [await leader, .. await Task.WhenAll(followers), await Read(pipeline, "k", Shared("unused"))];

        Assert.Equal(5, all.Distinct().Count());
        Assert.All(all, token => Assert.Equal("first", token.Value));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ResultCloner_Refreshed_EveryHitIsACopy(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<Token>(refreshes: true), new SingleFlightStrategyOptions<Token> { ResultCloner = s_copies });
        await Read(pipeline, "k", Shared("first"));
        Clock.Advance(6 * s_minute);
        var refreshed = Shared("second");
        await Read(pipeline, "k", refreshed);
        await Probe.Reached(Refreshed, 1);
        refreshed.Value = "changed by who made it";

        (await Read(pipeline, "k", Shared("unused"))).Value = "changed by a hit";

        Assert.Equal("second", (await Read(pipeline, "k", Shared("unused"))).Value);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ResultCloner_Stale_EveryAnswerIsACopy(CacheKind kind)
    {
        var options = Counted<Token>(configure: options => options.StaleOnError = 60 * s_minute);
        var pipeline = Cached(NewNode(kind), options, new SingleFlightStrategyOptions<Token> { ResultCloner = s_copies });
        await Read(pipeline, "k", Shared("first"));
        Clock.Advance(11 * s_minute);

        (await Fail(pipeline, "k")).Value = "changed by a stale answer";

        Assert.Equal("first", (await Fail(pipeline, "k")).Value);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ResultCloner_SecondLook_IsACopy(CacheKind kind)
    {
        // The first look misses, and before its flight calls another has stored: what the flight finds is shared by all its callers and by the cache.
        var node = NewNode(kind);
        var gate = new Gate();
        var holds = 0;
        var flight = Watched(new SingleFlightStrategyOptions<Token> { ResultCloner = s_copies });
        var late = node.Add(Builder<Token>(), Counted<Token>())
            .AddStrategy(_ => new Hold(async () =>
            {
                if (Interlocked.Increment(ref holds) == 1)
                {
                    Probe.Hit("held");
                    await gate.Opened;
                }
            }), new Hold.Options())
            .AddSingleFlight(flight)
            .Build();
        var missed = Read(late, "k", Shared("unused"));
        await Probe.Reached("held", 1);
        await Read(late, "k", Shared("first"));
        gate.Open();

        (await missed).Value = "changed by who missed";

        Assert.Equal("first", (await Read(late, "k", Shared("unused"))).Value);
        Assert.Equal(1, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ResultCloner_Throws_ResultIsNotKept(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), flight: new SingleFlightStrategyOptions<Token> { ResultCloner = _ => throw new InvalidOperationException("from the cloner") });

        Assert.Equal("first", (await Read(pipeline, "k", Shared("first"))).Value);

        Assert.Equal("second", (await Read(pipeline, "k", Shared("second"))).Value);
    }

    /// <summary>A node that did not make the result has the cloner all the same, and a cache may hand out what it holds by reference.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task ResultCloner_OnAnotherNode_EveryHitIsACopy(CacheKind kind)
    {
        var here = Cached(NewNode(kind), flight: new SingleFlightStrategyOptions<Token> { ResultCloner = s_copies });
        var there = Cached(NewNode(kind), flight: new SingleFlightStrategyOptions<Token> { ResultCloner = s_copies }, group: new SingleFlightGroup());
        await Read(here, "k", Shared("first"));

        for (var i = 0; i < 3; i++)
        {
            var hit = await Read(there, "k", Shared("unused"));
            Assert.Equal("first", hit.Value);
            hit.Value = "changed by a hit";
        }

        Assert.Equal(1, Probe[Upstream]);
    }

    /// <summary>A caller that runs alone shares nothing, but its result is kept as if it had.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ShouldShare_UnderSynchronousExecution_PersonalResultIsNotKept(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), flight: new SingleFlightStrategyOptions<Token> { ShouldShare = s_notPersonal });

        Assert.Equal("mine", (await Execute(Personal("mine"))).Value);

        Assert.Equal("yours", (await Execute(Shared("yours"))).Value);
        Assert.Equal("yours", (await Execute(Shared("unused"))).Value);

        Task<Token> Execute(Token token) => SyncCall.Start("k", CancellationToken.None, null, context => pipeline.Execute(_ => token, context));
    }

    private static Token Personal(string value) => new() { Value = value, IsPersonal = true };

    private static Token Shared(string value) => new() { Value = value };
}
