namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>A read that was overtaken has no right to store what it brings.</summary>
public class OvertakenFlightTests(RedisServer redis) : RealCacheTest(redis)
{
    private readonly CacheManualControl _control = new();

    public static TheoryData<CacheKind, Loss, bool> Losses()
    {
        var data = new TheoryData<CacheKind, Loss, bool>();
        foreach (var kind in Enum.GetValues<CacheKind>())
        {
            foreach (var loss in Enum.GetValues<Loss>())
            {
                data.Add(kind, loss, true);

                // A flight loses its key by these when somebody takes it over.
                if (loss is not (Loss.MaxJoinAge or Loss.HandOver))
                {
                    data.Add(kind, loss, false);
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public async Task Flight_KeyLost_StoresNothing(CacheKind kind, Loss loss, bool withNewReader)
    {
        var pipeline = Pipeline(NewNode(kind), loss);
        var gate = new Gate();
        using var leaves = new CancellationTokenSource();
        var old = Read(pipeline, "k", "old", gate, leaves.Token);
        await Probe.Reached(Upstream, 1);

        var newReader = await Lose(pipeline, loss, leaves, "new");
        if (withNewReader)
        {
            Assert.Equal("new", await (newReader ?? Read(pipeline, "k", "new")));
        }

        gate.Open();
        _ = await Record.ExceptionAsync(() => old);
        await Probe.Reached(Ended, withNewReader ? 2 : 1);

        Assert.Equal(withNewReader ? "new" : "third", await Read(pipeline, "k", "third"));
        Assert.Equal(withNewReader ? "new" : "third", await Read(pipeline, "k", "unused"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task Flight_LeaderMerelyLeft_Stores(CacheKind kind)
    {
        var pipeline = Cached<string>(NewNode(kind));
        var gate = new Gate();
        using var leaves = new CancellationTokenSource();
        var leader = Read(pipeline, "k", "value", gate, leaves.Token);
        await Probe.Reached(Upstream, 1);
        var follower = Read(pipeline, "k", "unused");
        await Probe.Reached(Joined, 1);

        leaves.Cancel();
        await IsCanceledBy(leader, leaves.Token);
        gate.Open();

        Assert.Equal("value", await follower);
        Assert.Equal("value", await Read(pipeline, "k", "unused"));
        Assert.Equal(1, Probe[Upstream]);
    }

    /// <summary>A refresh is a read like any other.</summary>
    [Theory]
    [MemberData(nameof(Losses))]
    public async Task Refresh_KeyLost_StoresNothing(CacheKind kind, Loss loss, bool withNewReader)
    {
        if (loss is Loss.HandOver or Loss.Abandoned)
        {
            // Nobody but the strategy can cancel a refresh.
            return;
        }

        var pipeline = Pipeline(NewNode(kind), loss);
        await Read(pipeline, "k", "first");
        Clock.Advance(6 * s_minute);
        var gate = new Gate();
        Assert.Equal("first", await Read(pipeline, "k", "old", gate));
        await Probe.Reached(Upstream, 2);

        _ = await Lose(pipeline, loss, null, null);
        if (withNewReader)
        {
            Assert.Equal("new", await Read(pipeline, "k", "new", mode: CacheMode.Refresh));
        }

        gate.Open();
        await Probe.Reached(Ended, withNewReader ? 3 : 2);

        // Forgetting a flight does not evict what was stored before.
        var rest = loss is Loss.Evict or Loss.EvictAll ? "third" : "first";
        Assert.Equal(withNewReader ? "new" : rest, await Read(pipeline, "k", "third"));
    }

    /// <summary>Without single flight inside there is no key to lose, but the later start counts.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task NoFlight_OlderCallEndsLast_StoresNothing(CacheKind kind)
    {
        var pipeline = NewNode(kind).Add(Builder<string>(), Counted<string>()).Build();
        var gate = new Gate();
        var old = Read(pipeline, "k", "old", gate);
        await Probe.Reached(Upstream, 1);
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("new", await Read(pipeline, "k", "new"));

        gate.Open();
        Assert.Equal("old", await old);

        Assert.Equal("new", await Read(pipeline, "k", "unused"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task NoFlight_Evicted_StoresNothing(CacheKind kind)
    {
        var pipeline = NewNode(kind).Add(Builder<string>(), Counted<string>(configure: options => options.ManualControl = _control)).Build();
        var gate = new Gate();
        var old = Read(pipeline, "k", "old", gate);
        await Probe.Reached(Upstream, 1);
        await _control.EvictAsync("k");

        gate.Open();
        Assert.Equal("old", await old);

        Assert.Equal("new", await Read(pipeline, "k", "new"));
    }

    /// <summary>The store itself is held in the middle, so that the eviction comes between its steps.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task Store_EvictedInTheMiddle_IsNotFoundHereNorElsewhere(CacheKind kind)
    {
        var node = NewNode(kind);
        var other = NewNode(kind);
        var pipeline = Pipeline(node, Loss.Evict);
        var elsewhere = Cached<string>(other, Counted<string>(configure: options => options.ManualControl = new CacheManualControl()), group: new SingleFlightGroup());
        await Read(pipeline, "first", "any");
        await Read(elsewhere, "first", "any");
        var gate = new Gate();
        var held = 0;
        node.Distributed!.Writing = async (_, _) =>
        {
            if (Interlocked.Increment(ref held) == 1)
            {
                Probe.Hit("storing");
                await gate.Opened;
            }
        };
        var old = Read(pipeline, "k", "old");
        await Probe.Reached("storing", 1);
        await _control.EvictAsync("k");
        var newReader = Read(pipeline, "k", "new");
        gate.Open();
        await old;
        await newReader;

        // Whatever was kept, it is not the old value: neither here nor on a node that reads it from behind.
        Assert.NotEqual("old", await Read(pipeline, "k", "new"));
        Clock.Advance(s_minute);
        Assert.NotEqual("old", await Read(elsewhere, "k", "new"));
    }

    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task Store_EvictedInTheMiddleWithoutNewReader_IsNotFoundElsewhere(CacheKind kind)
    {
        var node = NewNode(kind);
        var pipeline = Pipeline(node, Loss.Evict);
        var gate = new Gate();
        var held = 0;
        node.Distributed!.Writing = async (_, _) =>
        {
            if (Interlocked.Increment(ref held) == 1)
            {
                Probe.Hit("storing");
                await gate.Opened;
            }
        };
        var old = Read(pipeline, "k", "old");
        await Probe.Reached("storing", 1);
        await _control.EvictAsync("k");
        gate.Open();
        await old;

        var elsewhere = Cached<string>(NewNode(kind), Counted<string>(configure: options => options.ManualControl = new CacheManualControl()), group: new SingleFlightGroup());
        Clock.Advance(s_minute);
        Assert.Equal("new", await Read(elsewhere, "k", "new"));
        Assert.NotEqual("old", await Read(pipeline, "k", "third"));
    }

    /// <summary>Another node cannot know of the flights here, but of the eviction.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task TwoNodes_EvictedOnOne_ReadInTheAirOnTheOtherStoresNothing(CacheKind kind)
    {
        var here = Pipeline(NewNode(kind), Loss.Evict);
        var there = Cached<string>(NewNode(kind), Counted<string>(configure: options => options.ManualControl = new CacheManualControl()), group: new SingleFlightGroup());
        var gate = new Gate();
        var old = Read(there, "k", "old", gate);
        await Probe.Reached(Upstream, 1);
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        await _control.EvictAsync("k");

        gate.Open();
        Assert.Equal("old", await old);

        Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("new", await Read(here, "k", "new"));
        Assert.Equal("new", await Read(here, "k", "unused"));
    }

    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task TwoNodes_OlderCallEndsLast_NewerStays(CacheKind kind)
    {
        var here = Cached<string>(NewNode(kind));
        var there = Cached<string>(NewNode(kind), group: new SingleFlightGroup());
        var third = Cached<string>(NewNode(kind), group: new SingleFlightGroup());
        var gate = new Gate();
        var old = Read(there, "k", "old", gate);
        await Probe.Reached(Upstream, 1);
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("new", await Read(here, "k", "new"));

        gate.Open();
        Assert.Equal("old", await old);

        Assert.Equal("new", await Read(third, "k", "unused"));
        Assert.Equal("new", await Read(here, "k", "unused"));
    }

    private ResiliencePipeline<string> Pipeline(Node node, Loss loss) => Cached(
        node,
        Counted<string>(refreshes: true, options => options.ManualControl = _control),
        new SingleFlightStrategyOptions<string>
        {
            MaxJoinAge = loss == Loss.MaxJoinAge ? s_minute : System.Threading.Timeout.InfiniteTimeSpan,
            LeaderDeparture = loss == Loss.HandOver ? LeaderDeparture.HandOver : LeaderDeparture.Detach,
        });

    /// <summary>Has the flight lose its key; returns the caller who has taken it over, if that is how it is lost.</summary>
    private async Task<Task<string>?> Lose(ResiliencePipeline<string> pipeline, Loss loss, CancellationTokenSource? leaves, string? successor)
    {
        switch (loss)
        {
            case Loss.Forget:
                Assert.True(Group.Forget("k"));
                break;
            case Loss.ForgetAll:
                Group.ForgetAll();
                break;
            case Loss.Cancel:
                Assert.True(Group.Cancel("k"));
                break;
            case Loss.MaxJoinAge:
                Clock.Advance(2 * s_minute);
                break;
            case Loss.HandOver:
                var follower = Read(pipeline, "k", successor!);
                await Probe.Reached(Joined, 1);
                leaves!.Cancel();
                return follower;
            case Loss.Abandoned:
                leaves!.Cancel();
                await Probe.Reached(Abandoned, 1);
                break;
            case Loss.Evict:
                await _control.EvictAsync("k");
                break;
            default:
                await _control.EvictAllAsync();
                break;
        }

        return null;
    }
}
