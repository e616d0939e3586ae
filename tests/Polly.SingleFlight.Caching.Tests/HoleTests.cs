namespace Polly.SingleFlight.Caching.Tests;

/// <summary>
/// The hole between flight and cache: a caller that missed the cache just before a flight stored its result must not call again.
/// Each test forces the interleaving.
/// </summary>
public sealed class HoleTests : CacheTest
{
    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Miss_ThenAFlightStoresAndLands_FindsTheResultInsideItsOwnFlight(CacheKind kind)
    {
        var held = new Gate();
        var pipeline = Cached(kind, HoldFirstMiss(held));
        var late = Task.Run(() => Fetch(pipeline, "key"));
        await Probe.Reached("held", 1);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(0, Group.ActiveFlights);
        held.Open();

        Assert.Equal("key:1", await late);
        Assert.Equal((1, 2, 2), (Probe[Upstream], Probe[Started], Probe[Miss]));
    }

    /// <summary>The entry that the late caller's first look found was over; the memory of the process has the newer one alone.</summary>
    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Miss_OfAnExpiredEntry_ThenAFlightStoresAndLands_FindsTheResultInsideItsOwnFlight(CacheKind kind)
    {
        var held = new Gate();
        var pipeline = Cached(kind, HoldMiss(2, held, Counted<string>(staleOnError: TimeSpan.FromHours(1))));
        await Fetch(pipeline, "key");
        Clock.Advance(10 * s_second);
        var late = Task.Run(() => Fetch(pipeline, "key"));
        await Probe.Reached("held", 1);

        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        held.Open();

        Assert.Equal("key:2", await late);
        Assert.Equal(2, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(DistributedCaches))]
    public async Task Miss_ThenAnotherNodeStores_FindsTheResultInsideItsOwnFlight(CacheKind kind)
    {
        var held = new Gate();
        var pipeline = Cached(kind, HoldFirstMiss(held));
        using var node = new HybridUnderTest(kind, Clock, Distributed);
        var other = Builder<string>("pipeline").AddCache(node.Cache, Counted<string>()).Build();
        var late = Fetch(pipeline, "key");
        await Probe.Reached("held", 1);

        Assert.Equal("key:1", await Fetch(other, "key"));
        held.Open();

        Assert.Equal("key:1", await late);
        Assert.Equal(1, Probe[Upstream]);
    }

    [Fact]
    public async Task Storing_IsHeld_NewcomerJoinsTheFlight()
    {
        var pipeline = Cached<string>();
        var held = new Gate();
        Memory.Storing = () =>
        {
            Probe.Hit("storing");
            held.Opened.GetAwaiter().GetResult();
        };
        var leader = Task.Run(() => Fetch(pipeline, "key"));
        await Probe.Reached("storing", 1);

        var newcomer = Fetch(pipeline, "key");
        await Probe.Reached(Joined, 1);
        Assert.False(leader.IsCompleted);
        held.Open();

        Assert.Equal("key:1", await newcomer);
        Assert.Equal("key:1", await leader);
        Assert.Equal((1, 1), (Probe[Upstream], Probe["storing"]));
    }

    /// <summary>The memory of the process has it first.</summary>
    [Theory]
    [MemberData(nameof(DistributedCaches))]
    public async Task StoringInTheDistributedCache_IsHeld_NewcomerFindsTheResult(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);
        var held = new Gate();
        Distributed.Storing = _ =>
        {
            Probe.Hit("storing");
            return held.Opened;
        };
        var leader = Fetch(pipeline, "key");
        await Probe.Reached("storing", 1);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.False(leader.IsCompleted);
        held.Open();

        Assert.Equal("key:1", await leader);
        Assert.Equal((1, 1), (Probe[Upstream], Probe["storing"]));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Lifetime_IsBeingDecided_NewcomerJoinsTheFlight(CacheKind kind)
    {
        var held = new Gate();
        var options = Counted<string>();
        options.LifetimeGenerator = async _ =>
        {
            Probe.Hit("deciding");
            await held.Opened;
            return new CacheLifetime(10 * s_second);
        };
        var pipeline = Cached(kind, options);
        var leader = Fetch(pipeline, "key");
        await Probe.Reached("deciding", 1);
        var newcomer = Fetch(pipeline, "key");
        await Probe.Reached(Joined, 1);
        held.Open();

        Assert.Equal(["key:1", "key:1"], await Task.WhenAll(leader, newcomer));
    }

    [Fact]
    public async Task SecondLook_IsHeld_NobodyCalls()
    {
        var (first, second) = (new Gate(), new Gate());
        var pipeline = Cached(HoldFirstMiss(first));
        var late = Task.Run(() => Fetch(pipeline, "key"));
        await Probe.Reached("held", 1);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Memory.LookedUp = found =>
        {
            Memory.LookedUp = null;
            Assert.True(found);
            Probe.Hit("held");
            second.Opened.GetAwaiter().GetResult();
        };
        first.Open();
        await Probe.Reached("held", 2);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        second.Open();
        Assert.Equal("key:1", await late);
        Assert.Equal(1, Probe[Upstream]);
    }

    /// <summary>The second look finds only what is fresh: an old entry that is kept for errors does not do.</summary>
    [Theory]
    [MemberData(nameof(Caches))]
    public async Task SecondLook_FindsAnExpiredEntry_Calls(CacheKind kind)
    {
        var pipeline = Cached(kind, Counted<string>(staleOnError: TimeSpan.FromHours(1)));
        await Fetch(pipeline, "key");
        Clock.Advance(10 * s_second);

        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    private CacheStrategyOptions<string> HoldFirstMiss(Gate gate) => HoldMiss(1, gate, Counted<string>());

    /// <summary>Holds a caller that has found nothing, before its call.</summary>
    private CacheStrategyOptions<string> HoldMiss(int turn, Gate gate, CacheStrategyOptions<string> options)
    {
        var count = options.OnMiss!;
        options.OnMiss = async args =>
        {
            await count(args);
            if (Probe[Miss] == turn)
            {
                Probe.Hit("held");
                await gate.Opened;
            }
        };
        return options;
    }
}
