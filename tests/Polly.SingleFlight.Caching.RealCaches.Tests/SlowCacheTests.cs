namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>No key is killed by a distributed cache that does not answer, and nobody is held longer than the limits say.</summary>
public class SlowCacheTests(RedisServer redis) : RealCacheTest(redis)
{
    /// <summary>Real time, since the limits are to end by themselves. No test waits for it but those that must.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(1);

    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task ReadNeverAnswers_CallersAreServed_AndMemoryKeeps(CacheKind kind)
    {
        var node = NewNode(kind);
        var pipeline = Pipeline(node);
        var never = new Gate();
        node.Distributed!.Reading = (_, _) => never.Opened;

        Assert.Equal("first", await Read(pipeline, "k", "first"));

        Assert.Equal("first", await Read(pipeline, "k", "unused"));
        Assert.Equal("other", await Read(pipeline, "other", "other"));
        Assert.Equal(2, Probe[Upstream]);
        never.Open();
    }

    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task WriteNeverAnswers_CallersAreServed_AndMemoryKeeps(CacheKind kind)
    {
        var node = NewNode(kind);
        var pipeline = Pipeline(node);
        var never = new Gate();

        // FusionCache has read its own marks by then.
        await Read(pipeline, "warm", "any");
        await Read(pipeline, "warm", "any");
        node.Distributed!.Writing = (_, _) => never.Opened;

        var first = await Ask(pipeline, "k", "first");

        Assert.Equal("first", first.Value);
        Assert.NotNull(first.Cache?.StoredAt);
        Assert.Equal("first", await Read(pipeline, "k", "unused"));
        Assert.Equal(2, Probe[Upstream]);
        never.Open();
    }

    /// <summary>One write that is never answered, inside a refresh: the next refreshes come and are stored.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task WriteNeverAnswers_InsideRefresh_LaterRefreshesStore(CacheKind kind)
    {
        var node = NewNode(kind);
        var pipeline = Pipeline(node, refreshes: true);
        var never = new Gate();
        await Read(pipeline, "k", "value 0");
        node.Distributed!.Writing = (_, _) => never.Opened;

        for (var i = 1; i <= 3; i++)
        {
            var next = $"value {i}";
            await Until(async () => await Read(pipeline, "k", next) == next);
        }

        never.Open();
        await Until(() => Task.FromResult(Group.ActiveFlights == 0));
    }

    /// <summary>The same for callers that refresh by hand.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task OneWriteIsHeld_NewerIsStoredMeanwhile_OlderDoesNotWinWhenItGoesOn(CacheKind kind)
    {
        var node = NewNode(kind);
        var pipeline = Pipeline(node);
        var gate = new Gate();
        var held = 0;
        node.Distributed!.Writing = async (_, _) =>
        {
            if (Interlocked.Increment(ref held) == 1)
            {
                await gate.Opened;
                Probe.Hit("goes on");
            }
        };
        Assert.Equal("old", await Read(pipeline, "k", "old"));
        Assert.Equal("new", await Read(pipeline, "k", "new", mode: CacheMode.Refresh));

        gate.Open();
        await Probe.Reached("goes on", 1);

        Assert.Equal("new", await Read(pipeline, "k", "unused"));

        // Where another node looks the newer one is in the end, or none.
        await Until(async () => await Read(Pipeline(NewNode(kind), group: new SingleFlightGroup()), "k", "new") == "new");
    }

    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task ReadAndWriteThrow_CallersAreServed_AndMemoryKeeps(CacheKind kind)
    {
        var node = NewNode(kind);
        var pipeline = Pipeline(node);
        node.Distributed!.Reading = (_, _) => throw new TimeoutException("Redis does not answer.");
        node.Distributed.Writing = (_, _) => throw new TimeoutException("Redis does not answer.");

        Assert.Equal("first", await Read(pipeline, "k", "first"));

        Assert.Equal("first", await Read(pipeline, "k", "unused"));
        Assert.Equal(1, Probe[Upstream]);
    }

    /// <summary>A caller's own token ends its wait for the cache at once, and as its own.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task ReadNeverAnswers_CallerLeaves_AtOnce(CacheKind kind)
    {
        var node = NewNode(kind);
        var options = Counted<string>(configure: options => options.StoreTimeout = TimeSpan.FromHours(1));
        var pipeline = Cached(node, options);
        var never = new Gate();
        node.Distributed!.Reading = (_, _) =>
        {
            Probe.Hit("reading");
            return never.Opened;
        };
        using var leaves = new CancellationTokenSource();
        var caller = Read(pipeline, "k", "unused", token: leaves.Token);
        await Probe.Reached("reading", 1);

        leaves.Cancel();

        await IsCanceledBy(caller, leaves.Token);
        Assert.Equal(0, Probe[Upstream]);
        never.Open();
    }

    /// <summary>A stale answer is still there when what is behind the memory of the process is not.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task ReadNeverAnswers_Stale_IsAnsweredFromMemory(CacheKind kind)
    {
        var node = NewNode(kind);
        var options = new CacheStrategyOptions<string>
        {
            Lifetime = TimeSpan.FromMilliseconds(1),
            StaleOnError = TimeSpan.FromHours(1),
            StoreTimeout = s_limit,
            LocalCacheLifetime = TimeSpan.FromHours(1),
        };
        var pipeline = node.Add(new ResiliencePipelineBuilder<string> { Name = Prefix }, options).AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>())).Build();
        await Read(pipeline, "warm", "any");
        await Read(pipeline, "k", "old");
        var never = new Gate();
        node.Distributed!.Reading = (_, _) => never.Opened;
        await Until(async () =>
        {
            await Task.Yield();
            return (await Ask<string>(pipeline, "k", _ => throw new InvalidOperationException("upstream failed"))).Cache!.IsStale;
        });

        Assert.Equal("old", await Fail(pipeline, "k"));
        never.Open();
    }

    private ResiliencePipeline<string> Pipeline(Node node, bool refreshes = false, SingleFlightGroup? group = null)
    {
        var options = new CacheStrategyOptions<string>
        {
            StoreTimeout = s_limit,
            LifetimeGenerator = refreshes ? static args => new(new CacheLifetime(TimeSpan.FromHours(1), args.Result == "value 3" ? null : TimeSpan.Zero)) : static _ => new(new CacheLifetime(TimeSpan.FromHours(1))),
        };
        var flight = Watched(new SingleFlightStrategyOptions<string>());
        flight.Group = group ?? flight.Group;
        return node.Add(new ResiliencePipelineBuilder<string> { Name = Prefix, TelemetryListener = Listener }, options).AddSingleFlight(flight).Build();
    }
}
