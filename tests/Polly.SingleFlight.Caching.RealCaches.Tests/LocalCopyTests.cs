namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>The memory of a node is a copy of what all nodes have in common.</summary>
public class LocalCopyTests(RedisServer redis) : RealCacheTest(redis)
{
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task HundredHits_OnANodeThatDidNotStore_ReadOnce(CacheKind kind)
    {
        await Read(Cached<Token>(NewNode(kind)), "k", new Token { Value = "value" });
        var node = NewNode(kind);
        var pipeline = Cached<Token>(node, group: new SingleFlightGroup());

        for (var i = 0; i < 100; i++)
        {
            Assert.Equal("value", (await Read(pipeline, "k", new Token())).Value);
        }

        Assert.Equal(1, node.Distributed!.Reads);
        Assert.Equal(1, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task HundredHits_OnTheNodeThatStored_ReadNothing(CacheKind kind)
    {
        var node = NewNode(kind);
        var pipeline = Cached<string>(node);
        await Read(pipeline, "k", "value");
        var reads = node.Distributed!.Reads;

        for (var i = 0; i < 100; i++)
        {
            await Read(pipeline, "k", "unused");
        }

        Assert.Equal(reads, node.Distributed.Reads);
    }

    /// <summary>Nodes whose entry is over look behind it before they call, stale answers or not.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task ExpiredCopy_RenewedByAnotherNode_IsNotCalledFor(CacheKind kind)
    {
        var here = Cached(NewNode(kind), Stale());
        var there = Cached(NewNode(kind), Stale(), group: new SingleFlightGroup());
        await Read(here, "k", "old");
        Assert.Equal("old", await Read(there, "k", "unused"));
        Clock.Advance(11 * s_minute);
        Assert.Equal("new", await Read(here, "k", "new"));

        Assert.Equal("new", await Read(there, "k", "unused"));
        Assert.Equal("new", await Read(there, "k", "unused"));
        Assert.Equal(2, Probe[Upstream]);

        CacheStrategyOptions<string> Stale() => Counted<string>(configure: options => options.StaleOnError = 60 * s_minute);
    }

    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task DueCopy_RefreshedByAnotherNode_IsNotCalledFor(CacheKind kind)
    {
        var here = Cached(NewNode(kind), Counted<string>(refreshes: true));
        var node = NewNode(kind);
        var there = Cached(node, Counted<string>(refreshes: true), group: new SingleFlightGroup());
        await Read(here, "k", "old");
        Assert.Equal("old", await Read(there, "k", "unused"));
        Clock.Advance(6 * s_minute);
        Assert.Equal("old", await Read(here, "k", "new"));
        await Probe.Reached(Refreshed, 1);

        await Until(async () => await Read(there, "k", "unused") == "new");

        Assert.Equal(2, Probe[Upstream]);
    }

    /// <summary>How long copies last is the application's decision.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LocalExpirationOfTheApplication_IsKept(bool onTheNodeThatStores)
    {
        var brief = TimeSpan.FromMilliseconds(50);
        var storing = NewNode(CacheKind.HybridRedis, Configure);
        var other = NewNode(CacheKind.HybridRedis, Configure);
        var first = Cached<string>(storing);
        await Read(first, "k", "value");
        var node = onTheNodeThatStores ? storing : other;
        var pipeline = onTheNodeThatStores ? first : Cached<string>(other, group: new SingleFlightGroup());
        await Read(pipeline, "k", "unused");
        var reads = node.Distributed!.Reads;

        await Until(async () =>
        {
            Assert.Equal("value", await Read(pipeline, "k", "unused"));
            return node.Distributed.Reads > reads + 1;
        });

        Assert.Equal(1, Probe[Upstream]);

        void Configure(IServiceCollection services) => services.Configure<HybridCacheOptions>(
            options => options.DefaultEntryOptions = new HybridCacheEntryOptions { LocalCacheExpiration = brief });
    }

    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task LocalCacheLifetime_LimitsCopies(CacheKind kind)
    {
        var here = Cached(NewNode(kind), Brief());
        await Read(here, "k", "value");
        var node = NewNode(kind);
        var pipeline = Cached(node, Brief(), group: new SingleFlightGroup());

        await Until(async () =>
        {
            Assert.Equal("value", await Read(pipeline, "k", "unused"));
            return node.Distributed!.Reads >= 3;
        });

        Assert.Equal(1, Probe[Upstream]);

        CacheStrategyOptions<string> Brief() => Counted<string>(configure: options => options.LocalCacheLifetime = TimeSpan.FromMilliseconds(50));
    }

    /// <summary>Two nodes that store by turns see each other's newest.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task NodesByTurns_TheNewestStays(CacheKind kind)
    {
        ResiliencePipeline<string>[] nodes = [Cached<string>(NewNode(kind)), Cached<string>(NewNode(kind), group: new SingleFlightGroup())];
        for (var i = 0; i < 6; i++)
        {
            Clock.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal($"value {i}", await Read(nodes[i % 2], "k", $"value {i}", mode: CacheMode.Refresh));
        }

        Assert.Equal("value 5", await Read(Cached<string>(NewNode(kind), group: new SingleFlightGroup()), "k", "unused"));
    }
}
