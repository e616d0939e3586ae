using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Polly.SingleFlight.Caching.Tests;

/// <summary>An expired entry is kept for a while, for when the call fails.</summary>
public sealed class StaleTests : CacheTest
{
    [Theory]
    [MemberData(nameof(CachesAndEither))]
    public async Task Failure_AfterExpiry_ReturnsTheOldResult(CacheKind kind, bool withFlight)
    {
        var options = Counted<string>(staleOnError: 5 * s_second);
        TimeSpan age = default;
        var count = options.OnHit!;
        options.OnHit = args =>
        {
            age = args.Age;
            return count(args);
        };
        var pipeline = Cached(kind, options, withFlight);
        await Fetch(pipeline, "key");
        Clock.Advance((15 * s_second) - TimeSpan.FromTicks(1));

        Assert.Equal("key:1", await Fail(pipeline, "key"));
        Assert.Equal("key:1", await Fail(pipeline, "key"));
        Assert.Equal((15 * s_second) - TimeSpan.FromTicks(1), age);
        Assert.Equal((2, 0, 3), (Probe[Stale], Probe[Hit], Probe[Upstream]));
        Clock.Advance(TimeSpan.FromTicks(1));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Fail(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Success_AfterExpiry_ReplacesTheOldResult(CacheKind kind)
    {
        var pipeline = Cached(kind, Counted<string>(staleOnError: 5 * s_second));
        await Fetch(pipeline, "key");
        Clock.Advance(11 * s_second);

        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        Clock.Advance(5 * s_second);
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Failure_WithoutStaleOnError_IsTheOutcome(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);
        await Fetch(pipeline, "key");
        Clock.Advance(10 * s_second);

        await Assert.ThrowsAsync<InvalidOperationException>(() => Fail(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Failure_WithoutAnOldResult_IsTheOutcome(CacheKind kind)
    {
        var pipeline = Cached(kind, Counted<string>(staleOnError: 5 * s_second));

        await Assert.ThrowsAsync<InvalidOperationException>(() => Fail(pipeline, "key"));
        Assert.Equal(0, Probe[Stale]);
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Failure_OfAFlight_GivesEveryCallerTheOldResult(CacheKind kind)
    {
        var pipeline = Cached(kind, Counted<string>(staleOnError: 5 * s_second));
        await Fetch(pipeline, "key");
        Clock.Advance(10 * s_second);
        var gate = new Gate();
        var callers = Enumerable.Range(0, 10).Select(_ => Call<string>(pipeline, "key", async _ =>
        {
            Probe.Hit(Upstream);
            await gate.Opened;
            throw new InvalidOperationException();
        })).ToArray();
        await Probe.Reached(Joined, 9);
        gate.Open();

        Assert.All(await Task.WhenAll(callers), result => Assert.Equal("key:1", result));
        Assert.Equal((2, 10), (Probe[Upstream], Probe[Stale]));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Failure_MeanwhileAnotherStored_ReturnsTheFreshResult(CacheKind kind)
    {
        var pipeline = Cached(kind, Counted<string>(staleOnError: 5 * s_second), withFlight: false);
        var gate = new Gate();
        var call = Call<string>(pipeline, "key", async _ =>
        {
            Probe.Hit("running");
            await gate.Opened;
            throw new InvalidOperationException();
        });
        await Probe.Reached("running", 1);
        await Fetch(pipeline, "key");
        gate.Open();

        Assert.Equal("key:1", await call);
        Assert.Equal((0, 1), (Probe[Stale], Probe[Hit]));
    }

    [Fact]
    public async Task Timeout_AndOpenCircuitInside_AreFailures()
    {
        var pipeline = Builder<string>()
            .AddCache(Memory, Counted<string>(staleOnError: TimeSpan.FromHours(1)))
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()))
            .AddCircuitBreaker(new()
            {
                MinimumThroughput = 2,
                FailureRatio = 0.1,
                SamplingDuration = TimeSpan.FromHours(1),
                BreakDuration = TimeSpan.FromHours(1),
                ShouldHandle = new PredicateBuilder<string>().Handle<TimeoutRejectedException>(),
            })
            .AddTimeout(s_second)
            .Build();
        await Fetch(pipeline, "key");
        Clock.Advance(10 * s_second);
        var slow = Call<string>(pipeline, "key", async context =>
        {
            Probe.Hit("running");
            await new Gate().Opened.WaitAsync(context.CancellationToken);
            return "never";
        });
        await Probe.Reached("running", 1);
        Clock.Advance(s_second);
        Assert.Equal("key:1", await slow);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        await Assert.ThrowsAsync<BrokenCircuitException>(() => Fetch(pipeline, "other"));
        Assert.Equal((1, 2), (Probe[Upstream], Probe[Stale]));
    }
}
