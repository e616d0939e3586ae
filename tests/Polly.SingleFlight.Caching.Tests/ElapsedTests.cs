namespace Polly.SingleFlight.Caching.Tests;

/// <summary>A lifetime is counted from where the time of the call ends, whatever happens afterwards.</summary>
public sealed class ElapsedTests : CacheTest
{
    [Theory]
    [MemberData(nameof(CachesAndEither))]
    public async Task OptionCallbacks_TakeTheirTime_TheLifetimeGetsNoLonger(CacheKind kind, bool withFlight)
    {
        var options = Counted<string>(staleOnError: TimeSpan.FromHours(1));
        options.ShouldCache = _ =>
        {
            Clock.Advance(2 * s_second);
            return new(true);
        };
        options.LifetimeGenerator = args =>
        {
            Clock.Advance(s_second);
            return new(CacheLifetime.FromExpiresIn(10 * s_second, args.Elapsed) with { RefreshAfter = null });
        };
        var pipeline = Cached(kind, options, withFlight);

        await Fetch(pipeline, "key");
        Clock.Advance((5 * s_second) - TimeSpan.FromTicks(1));
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    /// <summary>
    /// One execution can start a second flight while its first still goes on. The first has lost its key and keeps nothing; the time of the second counts from
    /// the start of the execution, which is on the safe side.
    /// </summary>
    [Theory]
    [MemberData(nameof(Caches))]
    public async Task LifetimeGenerator_OfAFlightThatItsCallerLeftForANewOne_IsAskedForTheNewOneOnly(CacheKind kind)
    {
        var (gate, late) = (new Gate(), new Gate());
        List<TimeSpan> elapsed = [];
        var options = Counted<string>();
        options.LifetimeGenerator = args =>
        {
            lock (elapsed)
            {
                elapsed.Add(args.Elapsed);
            }

            return new(new CacheLifetime(10 * s_second));
        };
        var flights = Watched(new SingleFlightStrategyOptions<string> { MaxJoinAge = 8 * s_second });
        var pipeline = AddCache(Builder<string>("superseded"), kind, options)
            .AddRetry(new() { ShouldHandle = new PredicateBuilder<string>().Handle<Timeout.TimeoutRejectedException>(), Delay = TimeSpan.Zero })
            .AddTimeout(10 * s_second)
            .AddSingleFlight(flights)
            .Build();
        var gates = new Queue<Gate>([gate, late]);
        var leader = Call(pipeline, "key", async _ =>
        {
            var mine = gates.Dequeue();
            Probe.Hit(Upstream);
            await mine.Opened;
            return $"result {gates.Count}";
        });
        await Probe.Reached(Upstream, 1);
        Clock.Advance(5 * s_second);
        var follower = Fetch(pipeline, "key");
        await Probe.Reached(Joined, 1);
        Clock.Advance(5 * s_second);
        await Probe.Reached(Upstream, 2);
        Clock.Advance(2 * s_second);
        gate.Open();
        Assert.Equal("result 0", await follower);
        Assert.Empty(elapsed);
        late.Open();

        Assert.Equal("result 0", await leader);
        Assert.Equal([12 * s_second], elapsed);
        Assert.Equal("result 0", await Fetch(pipeline, "key"));
    }
}
