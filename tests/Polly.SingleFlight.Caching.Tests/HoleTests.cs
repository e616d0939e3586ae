namespace Polly.SingleFlight.Caching.Tests;

/// <summary>
/// The hole between flight and cache: a caller that missed the cache just before a flight stored its result must not call again.
/// Each test forces the interleaving.
/// </summary>
public sealed class HoleTests : CacheTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Miss_ThenAFlightStoresAndLands_FindsTheResultInsideItsOwnFlight(bool hybrid)
    {
        var pipeline = hybrid ? CachedHybrid<string>() : Cached<string>();
        var held = new Gate();
        HoldFirstLookup(hybrid, held);
        var late = Task.Run(() => Fetch(pipeline, "key"));
        await Probe.Reached("held", 1);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(0, Group.ActiveFlights);
        held.Open();

        Assert.Equal("key:1", await late);
        Assert.Equal((1, 2, 2), (Probe[Upstream], Probe[Started], Probe[Miss]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Storing_IsHeld_NewcomerJoinsTheFlight(bool hybrid)
    {
        var pipeline = hybrid ? CachedHybrid<string>() : Cached<string>();
        var held = new Gate();
        Memory.Storing = () =>
        {
            Probe.Hit("storing");
            held.Opened.GetAwaiter().GetResult();
        };
        Hybrid.Storing = _ =>
        {
            Probe.Hit("storing");
            return held.Opened;
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

    [Fact]
    public async Task Lifetime_IsBeingDecided_NewcomerJoinsTheFlight()
    {
        var held = new Gate();
        var options = Counted<string>();
        options.LifetimeGenerator = async _ =>
        {
            Probe.Hit("deciding");
            await held.Opened;
            return new CacheLifetime(10 * s_second);
        };
        var pipeline = Cached(options);
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
        var pipeline = CachedHybrid<string>();
        var (first, second) = (new Gate(), new Gate());
        HoldFirstLookup(hybrid: true, first, second);
        var late = Fetch(pipeline, "key");
        await Probe.Reached("held", 1);
        Assert.Equal("key:1", await Call(pipeline, "key", _ => Task.FromResult(Answer("key"))));
        first.Open();
        await Probe.Reached("held", 2);
        var newcomer = Fetch(pipeline, "key");
        Assert.Equal("key:1", await newcomer);
        second.Open();

        Assert.Equal("key:1", await late);
        Assert.Equal(1, Probe[Upstream]);
    }

    /// <summary>The second look finds only what is fresh: an old entry that is kept for errors does not do.</summary>
    [Fact]
    public async Task SecondLook_FindsAnExpiredEntry_Calls()
    {
        var pipeline = Cached(Counted<string>(staleOnError: TimeSpan.FromHours(1)));
        await Fetch(pipeline, "key");
        Clock.Advance(10 * s_second);

        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    /// <summary>Holds the first lookup after it has found nothing, and in a hybrid cache the following ones by the gates given for them.</summary>
    private void HoldFirstLookup(bool hybrid, params Gate[] gates)
    {
        var lookups = 0;
        if (!hybrid)
        {
            Memory.LookedUp = found =>
            {
                if (Interlocked.Increment(ref lookups) == 1)
                {
                    Assert.False(found);
                    Probe.Hit("held");
                    gates[0].Opened.GetAwaiter().GetResult();
                }
            };
            return;
        }

        // The held execution looks up first, and next after its gate was opened.
        Hybrid.LookedUp = found =>
        {
            var turn = Interlocked.Increment(ref lookups);
            if (turn != 1 && !(gates.Length > 1 && gates[0].Opened.IsCompleted && turn == 4))
            {
                return Task.CompletedTask;
            }

            Probe.Hit("held");
            return gates[turn == 1 ? 0 : 1].Opened;
        };
    }
}
