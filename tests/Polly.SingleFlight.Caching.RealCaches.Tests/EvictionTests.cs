namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>Validity that ends early: one call drops an entry, and a caller that saw the old result does not drop the new one.</summary>
public class EvictionTests(RedisServer redis) : RealCacheTest(redis)
{
    private readonly CacheManualControl _control = new();

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task Evict_NextCallerCalls(CacheKind kind)
    {
        var pipeline = Pipeline(NewNode(kind));
        await Read(pipeline, "k", "old");
        await Read(pipeline, "other", "other");

        await _control.EvictAsync("k");

        Assert.Equal("new", await Read(pipeline, "k", "new"));
        Assert.Equal("new", await Read(pipeline, "k", "unused"));
        Assert.Equal("other", await Read(pipeline, "other", "unused"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task EvictAll_NextCallersCall(CacheKind kind)
    {
        var pipeline = Pipeline(NewNode(kind));
        var others = Cached(NewNode(kind), Counted<string>(configure: options => options.Scope = "another" + Prefix), group: new SingleFlightGroup());
        await Read(pipeline, "a", "old");
        await Read(pipeline, "b", "old");
        await Read(others, "a", "another's");

        await _control.EvictAllAsync();

        Assert.Equal("new", await Read(pipeline, "a", "new"));
        Assert.Equal("new", await Read(pipeline, "b", "new"));
        Assert.Equal("new", await Read(pipeline, "a", "unused"));
        Assert.Equal("another's", await Read(others, "a", "unused"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task EvictSeen_TenCallersWithTheSame401AndALateOne_OneNewCall(CacheKind kind)
    {
        var pipeline = Pipeline(NewNode(kind));
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Ask(pipeline, "k", "dead")));
        Assert.All(answers, answer => Assert.NotNull(answer.Cache));
        Assert.Equal(1, Probe[Upstream]);
        var late = (await Ask(pipeline, "k", "unused")).Cache!;

        var gate = new Gate();
        var fresh = await Task.WhenAll(answers.Select(async answer =>
        {
            var evicted = await _control.EvictAsync("k", answer.Cache!);
            return (evicted, Call: Read(pipeline, "k", "fresh", gate));
        }));
        gate.Open();

        foreach (var (_, call) in fresh)
        {
            Assert.Equal("fresh", await call);
        }

        Assert.Equal(1, fresh.Count(one => one.evicted));
        Assert.Equal(2, Probe[Upstream]);
        Assert.False(await _control.EvictAsync("k", late));
        Assert.Equal("fresh", await Read(pipeline, "k", "unused"));
        Assert.Equal(2, Probe[Upstream]);
    }

    /// <summary>Those who come one after another, each with a new call in between.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task EvictSeen_Repeatedly_EachEvictsWhatItSaw(CacheKind kind)
    {
        var pipeline = Pipeline(NewNode(kind));
        for (var i = 0; i < 5; i++)
        {
            var answer = await Ask(pipeline, "k", $"token {i}");
            Assert.Equal($"token {i}", answer.Value);
            Assert.True(await _control.EvictAsync("k", answer.Cache!));
            Assert.False(await _control.EvictAsync("k", answer.Cache!));
        }

        Assert.Equal(5, Probe[Upstream]);
    }

    /// <summary>A follower of the call that brought the dead token, its leader, a hit and a refreshed hit all see the same entry.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task EvictSeen_ByAFollower_Evicts(CacheKind kind)
    {
        var pipeline = Pipeline(NewNode(kind));
        var gate = new Gate();
        var leader = Ask(pipeline, "k", "dead", gate);
        await Probe.Reached(Upstream, 1);
        var follower = Ask(pipeline, "k", "unused");
        await Probe.Reached(Joined, 1);
        gate.Open();
        await leader;

        Assert.True(await _control.EvictAsync("k", (await follower).Cache!));

        Assert.Equal("fresh", await Read(pipeline, "k", "fresh"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task EvictSeen_WasRefreshedMeanwhile_NewerStays(CacheKind kind)
    {
        var pipeline = Pipeline(NewNode(kind));
        await Read(pipeline, "k", "first");
        Clock.Advance(6 * s_minute);
        var seen = (await Ask(pipeline, "k", "second")).Cache!;
        await Probe.Reached(Refreshed, 1);

        Assert.False(await _control.EvictAsync("k", seen));

        Assert.Equal("second", await Read(pipeline, "k", "unused"));
    }

    /// <summary>A refresh that is in the air when its old entry is evicted brings what is newer than that.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task EvictSeen_NewerCallInTheAir_MayStore(CacheKind kind)
    {
        var pipeline = Pipeline(NewNode(kind));
        await Read(pipeline, "k", "first");
        Clock.Advance(6 * s_minute);
        var gate = new Gate();
        var seen = (await Ask(pipeline, "k", "second", gate)).Cache!;
        await Probe.Reached(Upstream, 2);

        Assert.True(await _control.EvictAsync("k", seen));
        gate.Open();
        await Probe.Reached(Refreshed, 1);

        Assert.Equal("second", await Read(pipeline, "k", "unused"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task Evict_InTheAir_NewcomerDoesNotJoin(CacheKind kind)
    {
        var pipeline = Pipeline(NewNode(kind));
        var gate = new Gate();
        var old = Read(pipeline, "k", "old", gate);
        await Probe.Reached(Upstream, 1);

        await _control.EvictAsync("k");

        Assert.Equal("new", await Read(pipeline, "k", "new"));
        gate.Open();
        Assert.Equal("old", await old);
    }

    /// <summary>Evicted entries are not the stale answer to a failure either.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task Evict_ThenFailure_IsNotAnsweredStale(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<string>(configure: options =>
        {
            options.ManualControl = _control;
            options.StaleOnError = 60 * s_minute;
        }));
        var seen = (await Ask(pipeline, "k", "old")).Cache!;
        Clock.Advance(11 * s_minute);

        Assert.True(await _control.EvictAsync("k", seen));

        await Assert.ThrowsAsync<InvalidOperationException>(() => Fail(pipeline, "k"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task Evict_DerivedTypes_AreEvictedToo(CacheKind kind)
    {
        var pipeline = NewNode(kind).Add(
            new ResiliencePipelineBuilder { Name = Prefix, TimeProvider = Clock },
            new CacheStrategyOptions<object> { ManualControl = _control }).AddSingleFlight(Watched()).Build();
        Assert.Equal("old", await Untyped("old"));
        Assert.Equal(1, await Untyped(1));

        await _control.EvictAsync("k");

        Assert.Equal("new", await Untyped("new"));
        Assert.Equal(2, await Untyped(2));

        Task<T> Untyped<T>(T value) => Call(pipeline, "k", _ => Task.FromResult(value));
    }

    /// <summary>What a node holds as a copy may be all there is: the entry behind may have been dropped for want of room.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task EvictSeen_OnlyInTheMemoryOfTheNode_Evicts(CacheKind kind)
    {
        var node = NewNode(kind);
        var pipeline = Pipeline(node);
        var seen = (await Ask(pipeline, "k", "dead")).Cache!;
        var database = Redis.Connection.GetDatabase();
        foreach (var key in node.Distributed!.Written)
        {
            Assert.True(await database.KeyDeleteAsync(Prefix + key));
        }

        Assert.True(await _control.EvictAsync("k", seen));

        Assert.Equal("fresh", await Read(pipeline, "k", "fresh"));
    }

    /// <summary>The other node has its own copy of the dead token, and the newer one is behind it.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task EvictSeen_RenewedByAnotherNode_NextCallerHereGetsTheNewOne(CacheKind kind)
    {
        var elsewhere = new CacheManualControl();
        var here = Pipeline(NewNode(kind));
        var there = Cached(NewNode(kind), Counted<string>(configure: options => options.ManualControl = elsewhere), group: new SingleFlightGroup());
        await Read(here, "k", "dead");
        var seenThere = (await Ask(there, "k", "unused")).Cache!;
        var seenHere = (await Ask(here, "k", "unused")).Cache!;
        Assert.True(await _control.EvictAsync("k", seenHere));
        Assert.Equal("fresh", await Read(here, "k", "fresh"));

        Assert.False(await elsewhere.EvictAsync("k", seenThere));

        Assert.Equal("fresh", await Read(there, "k", "unused"));
        Assert.Equal(2, Probe[Upstream]);
    }

    /// <summary>A copy is evicted with the others, although it was not stored here but read.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task EvictAll_CopiesOfAnotherNodesEntries_AreEvicted(CacheKind kind)
    {
        var elsewhere = new CacheManualControl();
        var here = Pipeline(NewNode(kind));
        var there = Cached(NewNode(kind), Counted<string>(configure: options => options.ManualControl = elsewhere), group: new SingleFlightGroup());
        await Read(here, "k", "old");
        Assert.Equal("old", await Read(there, "k", "unused"));

        await elsewhere.EvictAllAsync();

        Assert.Equal("new", await Read(there, "k", "new"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task Evict_OneControlOfTwoStrategies_EvictsInBoth(CacheKind kind)
    {
        var first = Pipeline(NewNode(kind));
        var second = Cached(NewNode(kind), Counted<string>(refreshes: true, options =>
        {
            options.ManualControl = _control;
            options.Scope = "second" + Prefix;
        }), group: new SingleFlightGroup());
        await Read(first, "k", "old");
        await Read(second, "k", "old");

        await _control.EvictAsync("k");

        Assert.Equal("new", await Read(first, "k", "new"));
        Assert.Equal("new", await Read(second, "k", "new"));
    }

    private ResiliencePipeline<string> Pipeline(Node node) => Cached(node, Counted<string>(refreshes: true, options => options.ManualControl = _control));
}
