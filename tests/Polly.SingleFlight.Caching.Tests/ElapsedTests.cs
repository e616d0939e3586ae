namespace Polly.SingleFlight.Caching.Tests;

/// <summary>A lifetime is counted from where the time of the call ends, whatever happens afterwards.</summary>
public sealed class ElapsedTests : CacheTest
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task OptionCallbacks_TakeTheirTime_TheLifetimeGetsNoLonger(bool withFlight, bool hybrid)
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
        var pipeline = hybrid ? CachedHybrid(options, withFlight) : Cached(options, withFlight);

        await Fetch(pipeline, "key");
        Clock.Advance((5 * s_second) - TimeSpan.FromTicks(1));
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    /// <summary>One execution can start a second flight while its first still goes on; each result has the time of its own call.</summary>
    [Fact]
    public async Task LifetimeGenerator_OfAFlightThatItsCallerLeftForANewOne_CountsFromTheFlightsOwnStart()
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

            Probe.Hit("kept");
            return new(new CacheLifetime(10 * s_second));
        };
        var flights = Watched(new SingleFlightStrategyOptions<string> { MaxJoinAge = 8 * s_second });
        var pipeline = Builder<string>().AddCache(Memory, options)
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
            return "result";
        });
        await Probe.Reached(Started, 1);
        Clock.Advance(5 * s_second);
        var follower = Fetch(pipeline, "key");
        await Probe.Reached(Joined, 1);
        Clock.Advance(5 * s_second);
        await Probe.Reached(Upstream, 2);
        Clock.Advance(2 * s_second);
        gate.Open();
        await Probe.Reached("kept", 1);

        Assert.Equal([12 * s_second], elapsed);
        late.Open();
        Assert.Equal("result", await leader);
        Assert.Equal("result", await follower);
    }
}
