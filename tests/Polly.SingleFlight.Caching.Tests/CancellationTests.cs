namespace Polly.SingleFlight.Caching.Tests;

/// <summary>A caller that is cancelled gets its own cancellation, and leaves nothing in the cache.</summary>
public sealed class CancellationTests : CacheTest
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task OnEntry_NothingIsLookedUpOrCalled(bool hybrid, bool withFlight)
    {
        var pipeline = hybrid ? CachedHybrid<string>(withFlight: withFlight) : Cached<string>(withFlight: withFlight);
        await Fetch(pipeline, "key");
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        Memory.LookedUp = _ => Probe.Hit("lookup");
        Hybrid.LookedUp = _ => Task.FromException(new InvalidOperationException());

        await IsCanceledBy(Fetch(pipeline, "key", source.Token), source.Token);
        await IsCanceledBy(Fetch(pipeline, "other", source.Token), source.Token);
        Assert.Equal((1, 0), (Probe[Upstream], Probe["lookup"]));
    }

    [Fact]
    public async Task DuringTheKeyGenerator_NothingIsCalled()
    {
        using var source = new CancellationTokenSource();
        var options = Counted<string>();
        options.KeyGenerator = async args =>
        {
            await Task.Yield();
            await source.CancelAsync();
            return args.Context.GetSingleFlightKey();
        };

        await IsCanceledBy(Fetch(Cached(options, withFlight: false), "key", source.Token), source.Token);
        await IsCanceledBy(Fetch(CachedHybrid(options, withFlight: false), "key", source.Token), source.Token);
        Assert.Equal((0, 0), (Probe[Upstream], Probe[Miss]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DuringTheLookup_NothingIsCalledOrReported(bool cacheIgnoresIt)
    {
        var pipeline = CachedHybrid<string>();
        var gate = new Gate();
        Hybrid.LookingUp = token =>
        {
            Probe.Hit("lookup");
            return cacheIgnoresIt ? gate.Opened : gate.Opened.WaitAsync(token);
        };
        using var source = new CancellationTokenSource();
        var call = Fetch(pipeline, "key", source.Token);
        await Probe.Reached("lookup", 1);
        await source.CancelAsync();
        if (cacheIgnoresIt)
        {
            gate.Open();
        }

        await IsCanceledBy(call, source.Token);
        Assert.Equal((0, 0, 0), (Probe[Upstream], Probe[Miss], Listener.Count("OnCacheFailed")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DuringTheCall_NothingIsKeptAndNothingStaleIsReturned(bool withFlight)
    {
        var pipeline = Cached(Counted<string>(staleOnError: TimeSpan.FromHours(1)), withFlight);
        await Fetch(pipeline, "key");
        Clock.Advance(10 * s_second);
        using var source = new CancellationTokenSource();
        var call = Call<string>(
            pipeline,
            "key",
            async context =>
            {
                Probe.Hit("running");
                await new Gate().Opened.WaitAsync(context.CancellationToken);
                return "never";
            },
            source.Token);
        await Probe.Reached("running", 1);
        await source.CancelAsync();

        await IsCanceledBy(call, source.Token);
        Assert.Equal(0, Probe[Stale]);
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    [Fact]
    public async Task DuringTheCall_ResultThatComesAllTheSame_IsThatOfTheFollowers()
    {
        var pipeline = Cached<string>();
        var gate = new Gate();
        using var source = new CancellationTokenSource();
        var leader = Fetch(pipeline, "key", gate);
        await Probe.Reached(Started, 1);
        var follower = Fetch(pipeline, "key", source.Token);
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();

        await IsCanceledBy(follower, source.Token);
        gate.Open();
        Assert.Equal("key:1", await leader);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
    }

    [Fact]
    public async Task WhileStoring_TheResultIsReturnedAndTheCacheHasNotFailed()
    {
        var pipeline = CachedHybrid<string>(withFlight: false);
        using var source = new CancellationTokenSource();
        Hybrid.Storing = async token =>
        {
            await source.CancelAsync();
            token.ThrowIfCancellationRequested();
        };

        Assert.Equal("key:1", await Fetch(pipeline, "key", source.Token));
        Assert.Equal(0, Listener.Count("OnCacheFailed"));
    }

    [Fact]
    public async Task EverybodyLeaves_TheFlightsResultIsNotKept()
    {
        var pipeline = Cached<string>();
        using var source = new CancellationTokenSource();
        var call = Call<string>(
            pipeline,
            "key",
            async context =>
            {
                Probe.Hit("running");
                await new Gate().Opened.WaitAsync(context.CancellationToken);
                return "never";
            },
            source.Token);
        await Probe.Reached("running", 1);
        await source.CancelAsync();
        await IsCanceledBy(call, source.Token);
        await Probe.Reached(Abandoned, 1);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
    }
}
