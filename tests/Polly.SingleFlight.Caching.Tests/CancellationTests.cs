namespace Polly.SingleFlight.Caching.Tests;

/// <summary>A caller that is cancelled gets its own cancellation, and leaves nothing in the cache.</summary>
public sealed class CancellationTests : CacheTest
{
    [Theory]
    [MemberData(nameof(CachesAndEither))]
    public async Task OnEntry_NothingIsLookedUpOrCalled(CacheKind kind, bool withFlight)
    {
        var pipeline = Cached<string>(kind, withFlight: withFlight);
        await Fetch(pipeline, "key");
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        var reads = Distributed.Reads;

        await IsCanceledBy(Fetch(pipeline, "key", source.Token), source.Token);
        await IsCanceledBy(Fetch(pipeline, "other", source.Token), source.Token);
        Assert.Equal((1, reads), (Probe[Upstream], Distributed.Reads));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OnEntry_TheMemoryCacheIsNotAsked(bool withFlight)
    {
        var pipeline = Cached<string>(withFlight: withFlight);
        await Fetch(pipeline, "key");
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        Memory.LookedUp = _ => Probe.Hit("lookup");

        await IsCanceledBy(Fetch(pipeline, "key", source.Token), source.Token);
        await IsCanceledBy(Fetch(pipeline, "other", source.Token), source.Token);
        Assert.Equal((1, 0), (Probe[Upstream], Probe["lookup"]));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task DuringTheKeyGenerator_NothingIsCalled(CacheKind kind)
    {
        using var source = new CancellationTokenSource();
        var options = Counted<string>();
        options.KeyGenerator = async args =>
        {
            await Task.Yield();
            await source.CancelAsync();
            return args.Context.GetSingleFlightKey();
        };

        await IsCanceledBy(Fetch(Cached(kind, options, withFlight: false), "key", source.Token), source.Token);
        Assert.Equal((0, 0), (Probe[Upstream], Probe[Miss]));
    }

    /// <summary>Also of a look-up that ignores its token, and has not ended yet.</summary>
    [Theory]
    [InlineData(CacheKind.HybridL2, false)]
    [InlineData(CacheKind.HybridL2, true)]
    [InlineData(CacheKind.FusionL2, false)]
    [InlineData(CacheKind.FusionL2, true)]
    public async Task DuringTheLookup_NothingIsCalledOrReported(CacheKind kind, bool cacheIgnoresIt)
    {
        var pipeline = Cached<string>(kind);
        var gate = new Gate();
        Distributed.LookingUp = async token =>
        {
            // Ends without an exception, since Microsoft's cache leaves that of a look-up which nobody waits for unobserved.
            Probe.Hit("lookup");
            await Task.WhenAny(gate.Opened, cacheIgnoresIt ? gate.Opened : Task.Delay(System.Threading.Timeout.Infinite, token));
        };
        using var source = new CancellationTokenSource();
        var call = Fetch(pipeline, "key", source.Token);
        await Probe.Reached("lookup", 1);
        await source.CancelAsync();

        await IsCanceledBy(call, source.Token);
        Assert.Equal((0, 0, 0), (Probe[Upstream], Probe[Miss], Listener.Count("OnCacheFailed")));
        gate.Open();
    }

    [Theory]
    [MemberData(nameof(CachesAndEither))]
    public async Task DuringTheCall_NothingIsKeptAndNothingStaleIsReturned(CacheKind kind, bool withFlight)
    {
        var pipeline = Cached(kind, Counted<string>(staleOnError: TimeSpan.FromHours(1)), withFlight);
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

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task DuringTheCall_ResultThatComesAllTheSame_IsThatOfTheFollowers(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);
        var gate = new Gate();
        using var source = new CancellationTokenSource();
        var leader = Fetch(pipeline, "key", gate);
        await Probe.Reached(Upstream, 1);
        var follower = Fetch(pipeline, "key", source.Token);
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();

        await IsCanceledBy(follower, source.Token);
        gate.Open();
        Assert.Equal("key:1", await leader);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(DistributedCaches))]
    public async Task WhileStoring_TheResultIsReturnedAndKept(CacheKind kind)
    {
        var pipeline = Cached<string>(kind, withFlight: false);
        using var source = new CancellationTokenSource();
        Distributed.Storing = async token =>
        {
            await source.CancelAsync();
            token.ThrowIfCancellationRequested();
        };

        Assert.Equal("key:1", await Fetch(pipeline, "key", source.Token));
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal((1, 0), (Distributed.Keys.Count, Listener.Count("OnCacheFailed")));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task EverybodyLeaves_TheFlightsResultIsNotKept(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);
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
