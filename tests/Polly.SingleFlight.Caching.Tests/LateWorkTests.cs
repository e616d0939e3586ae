namespace Polly.SingleFlight.Caching.Tests;

/// <summary>What ends after its caller was given something else, or after its entry was evicted.</summary>
public sealed class LateWorkTests : CacheTest
{
    /// <summary>The leader's answer is not the flight's result, although that is known by the time the leader returns.</summary>
    [Fact]
    public async Task Leader_LeavesAndGetsAFallback_TheFlightsResultStaysInTheCache()
    {
        var fallback = new Gate();
        var pipeline = Builder<string>()
            .AddCache(Memory, Counted<string>())
            .AddFallback(new()
            {
                ShouldHandle = static args => new(args.Outcome.Exception is not null),
                FallbackAction = async _ =>
                {
                    Probe.Hit("fallback");
                    await fallback.Opened;
                    return Outcome.FromResult("fallback");
                },
            })
            .AddTimeout(s_second)
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()))
            .Build();
        var gate = new Gate();
        var leader = Fetch(pipeline, "key", gate);
        await Probe.Reached(Upstream, 1);
        Clock.Advance(s_second / 2);
        var follower = Fetch(pipeline, "key");
        await Probe.Reached(Joined, 1);
        Clock.Advance(s_second / 2);
        await Probe.Reached("fallback", 1);
        gate.Open();
        Assert.Equal("key:1", await follower);
        fallback.Open();

        Assert.Equal("fallback", await leader);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(1, Probe[Upstream]);
    }

    /// <summary>What a second attempt got from another caller's flight is stored, or not, by that one's rules: it may have been forgotten.</summary>
    [Fact]
    public async Task SecondAttempt_FollowsAFlightThatIsForgotten_ItsResultIsNotStored()
    {
        var options = Counted<string>();
        options.ShouldCache = static args => new(args.Outcome.Result != "bad");
        var bare = Builder<string>().AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>())).Build();
        var gate = new Gate();
        Task<string>? other = null;
        var cached = Builder<string>()
            .AddCache(Memory, options)
            .AddRetry(new()
            {
                ShouldHandle = static args => new(args.Outcome.Result == "bad"),
                Delay = TimeSpan.Zero,
                OnRetry = _ =>
                {
                    other = Fetch(bare, "key", gate);
                    return default;
                },
            })
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()))
            .Build();
        var caller = Call(cached, "key", static _ => Task.FromResult("bad"));
        await Probe.Reached(Joined, 1);
        Group.Forget("key");
        gate.Open();

        Assert.Equal(("key:1", "key:1"), (await other!, await caller));
        Assert.Equal("key:2", await Fetch(cached, "key"));
    }

    /// <summary>A call that runs alone has nothing of single flight to lose, but its entry can be evicted.</summary>
    [Fact]
    public async Task Evicted_WhileACallRunsAlone_ItsResultIsNotStored()
    {
        var options = Counted<string>();
        options.ManualControl = new();
        options.KeyGenerator = static _ => new("key");
        var pipeline = Cached(options);
        var gate = new Gate();
        var alone = CallWithoutKey();
        await Probe.Reached(Upstream, 1);
        await options.ManualControl.EvictAsync("key");
        gate.Open();

        Assert.Equal("key:1", await alone);
        Assert.Equal("key:2", await CallWithoutKey());
        Assert.Equal("key:2", await CallWithoutKey());

        Task<string> CallWithoutKey() => pipeline.ExecuteAsync(async _ =>
        {
            var answer = Answer("key");
            await gate.Opened;
            return answer;
        }).AsTask();
    }

    /// <summary>The same where the leader's pipeline has no cache, so that the follower's own is to keep the result.</summary>
    [Fact]
    public async Task Evicted_WhileACallFollowsALeaderWithoutACache_ItsResultIsNotStored()
    {
        var options = Counted<string>();
        options.ManualControl = new();
        var bare = Builder<string>().AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>())).Build();
        var cached = Cached(options);
        var gate = new Gate();
        var leader = Fetch(bare, "key", gate);
        await Probe.Reached(Upstream, 1);
        var follower = Fetch(cached, "key");
        await Probe.Reached(Joined, 1);
        await options.ManualControl.EvictAsync("key");
        gate.Open();

        Assert.Equal(("key:1", "key:1"), (await leader, await follower));
        Assert.Equal("key:2", await Fetch(cached, "key"));
    }

    /// <summary>An eviction of another key costs nothing.</summary>
    [Fact]
    public async Task AnotherKeyIsEvicted_WhileACallFollowsALeaderWithoutACache_ItsResultIsStored()
    {
        var options = Counted<string>();
        options.ManualControl = new();
        var bare = Builder<string>().AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>())).Build();
        var cached = Cached(options);
        await options.ManualControl.EvictAsync("key");
        var gate = new Gate();
        var leader = Fetch(bare, "key", gate);
        await Probe.Reached(Upstream, 1);
        var follower = Fetch(cached, "key");
        await Probe.Reached(Joined, 1);
        gate.Open();

        Assert.Equal(("key:1", "key:1"), (await leader, await follower));
        Assert.Equal("key:1", await Fetch(cached, "key"));
    }

    /// <summary>The leader's execution has failed. The flight has not, nor its followers.</summary>
    [Fact]
    public async Task Leader_LeavesWhileItsResultIsBeingKept_FollowersSeeWhatBecameOfIt()
    {
        var keeping = new Gate();
        var options = Counted<string>();
        options.ShouldCache = async _ =>
        {
            Probe.Hit("keeping");
            await keeping.Opened;
            return true;
        };
        var pipeline = Cached(options);
        using var source = new CancellationTokenSource();
        var gate = new Gate();
        var leader = Fetch(pipeline, "key", gate, source.Token);
        await Probe.Reached(Upstream, 1);
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        context.SetSingleFlightKey("key");
        var follower = pipeline.ExecuteAsync(static _ => new ValueTask<string>("not called"), context).AsTask();
        await Probe.Reached(Joined, 1);
        gate.Open();
        await Probe.Reached("keeping", 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);
        keeping.Open();

        Assert.Equal("key:1", await follower);
        Assert.NotNull(context.GetCacheResult()?.StoredAt);
        ResilienceContextPool.Shared.Return(context);
    }

    /// <summary>A follower that had to make the call itself was given the old result for it.</summary>
    [Fact]
    public async Task Follower_IsElected_ItsContextKeepsNoReplacedResult()
    {
        var pipeline = Builder<string>()
            .AddCache(Memory, Counted<string>(staleOnError: 100 * s_second))
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string> { LeaderDeparture = LeaderDeparture.HandOver }))
            .Build();
        await Fetch(pipeline, "key");
        Clock.Advance(11 * s_second);
        using var source = new CancellationTokenSource();
        var leader = Fetch(pipeline, "key", new Gate(), source.Token);
        await Probe.Reached(Upstream, 2);
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        context.SetSingleFlightKey("key");
        var follower = pipeline.ExecuteAsync(
            static context => new ValueTask<string>(context.TryGetReplacedResult<string>(out var old) ? "replaces " + old : "replaces nothing"), context).AsTask();
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);

        Assert.Equal("replaces key:1", await follower);
        Assert.False(context.TryGetReplacedResult<string>(out _));
        ResilienceContextPool.Shared.Return(context);
    }

    /// <summary>Whatever the callback has started, a timer say, holds the execution context and with it the flight.</summary>
    [Fact]
    public async Task ExecutionContextOfTheCallback_IsHeld_TheResultIsNot()
    {
        var (held, result) = await CallOnce();
        for (var i = 0; i < 10 && result.IsAlive; i++)
        {
            await Task.Yield();
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(result.IsAlive);
        GC.KeepAlive(held);

        async Task<(ExecutionContext? Held, WeakReference Result)> CallOnce()
        {
            var options = Counted<object>();
            options.ShouldCache = static _ => new(false);
            ExecutionContext? held = null;
            var result = new WeakReference(await Call(Cached(options), "key", async _ =>
            {
                held = ExecutionContext.Capture();
                await Task.Yield();
                return new object();
            }));
            return (held, result);
        }
    }

    [Fact]
    public async Task Evicted_WhileACallFollowsALeaderWithoutTheCache_NewcomersStartAfresh()
    {
        var options = Counted<string>();
        options.ManualControl = new();
        var bare = Builder<string>().AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>())).Build();
        var cached = Cached(options);
        var gate = new Gate();
        var leader = Fetch(bare, "key", gate);
        await Probe.Reached(Upstream, 1);
        var follower = Fetch(cached, "key");
        await Probe.Reached(Joined, 1);

        await options.ManualControl.EvictAsync("key");
        var newcomer = Fetch(cached, "key");
        gate.Open();

        Assert.Equal(("key:1", "key:1", "key:2"), (await leader, await follower, await newcomer));
        Assert.Equal("key:2", await Fetch(cached, "key"));
    }
}
