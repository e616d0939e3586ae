using Polly.Retry;

namespace Polly.SingleFlight.Caching.Tests;

/// <summary>The cache outside, the flight inside it, and the retries inside that: one thousand callers, four keys, four calls.</summary>
public sealed class CompositionTests : CacheTest
{
    private static readonly string[] s_keys = ["a", "b", "c", "d"];

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Waves_OfThousandCallersOnFourKeys_CallOncePerKeyAndLifetime(CacheKind kind)
    {
        var pipeline = Composed(kind, Counted<string>(refreshAfter: 8 * s_second));

        Assert.Equal(4, await WaveAsync(pipeline, expectedCalls: 4));
        Assert.Equal(0, await WaveAsync(pipeline, expectedCalls: 0));
        Clock.Advance(10 * s_second);
        Assert.Equal(4, await WaveAsync(pipeline, expectedCalls: 4));

        Clock.Advance(8 * s_second);
        var gate = new Gate();
        var before = Probe[Upstream];
        var versions = await Task.WhenAll(Callers(pipeline, gate));
        await Probe.Reached(Upstream, before + 4);
        Assert.All(versions, version => Assert.InRange(int.Parse(version[2..], null), before - 3, before));
        gate.Open();
        await Probe.Reached(Refreshed, 4);
        Assert.Equal(0, await WaveAsync(pipeline, expectedCalls: 0));
        Assert.Equal((12, 4), (Probe[Upstream], Probe[Refreshed]));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Retry_InsideTheFlight_IsOneLoopWhoseResultIsCached(CacheKind kind)
    {
        var pipeline = Composed(kind, Counted<string>());
        var attempts = 0;

        var result = await Call(pipeline, "key", _ => Task.FromResult(
            Interlocked.Increment(ref attempts) < 3 ? throw new InvalidOperationException() : Answer("key")));

        Assert.Equal(("key:1", 3), (result, attempts));
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Retry_BetweenCacheAndFlight_ResultIsCached(CacheKind kind)
    {
        var pipeline = AddCache(Builder<string>("retried"), kind, Counted<string>()).AddRetry(Retry()).AddSingleFlight(Flights()).Build();
        var attempts = 0;
        await Call(pipeline, "key", _ => Task.FromResult(
            Interlocked.Increment(ref attempts) < 3 ? throw new InvalidOperationException() : Answer("key")));

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task CacheInsideTheFlight_IsAskedOncePerFlight(CacheKind kind)
    {
        var pipeline = AddCache(Builder<string>("inside").AddSingleFlight(Flights()), kind, Counted<string>(refreshAfter: 8 * s_second)).Build();
        var gate = new Gate();
        var callers = s_keys.Concat(s_keys).Select(key => Fetch(pipeline, key, gate)).ToArray();
        await Probe.Reached(Joined, 4);
        gate.Open();
        var results = await Task.WhenAll(callers);
        Assert.Equal((4, 4), (Probe[Upstream], Probe[Miss]));

        Assert.Equal(results[0], await Fetch(pipeline, "a"));
        Clock.Advance(8 * s_second);
        Assert.Equal(results[0], await Fetch(pipeline, "a"));
        await Probe.Reached(Refreshed, 1);
        Assert.Equal("a:5", await Fetch(pipeline, "a"));
    }

    /// <summary>What the inner cache has is as old in the outer one, which keeps it for what is left of its own lifetime.</summary>
    [Theory]
    [MemberData(nameof(DistributedCaches))]
    public async Task TwoCaches_OuterIsFilledFromTheInner(CacheKind kind)
    {
        var inner = Counted<string>();
        inner.OnHit = _ => Count("inner hit");
        inner.LifetimeGenerator = _ => new(new CacheLifetime(TimeSpan.FromHours(1)));
        var pipeline = AddCache(Builder<string>("two").AddCache(Memory, Counted<string>()), kind, inner).AddSingleFlight(Flights()).Build();

        await Fetch(pipeline, "key");
        Assert.Equal((1, 1), (Memory.Count, Distributed.Keys.Count));
        await Fetch(pipeline, "key");
        Assert.Equal((1, 0), (Probe[Hit], Probe["inner hit"]));
        Memory.Clear();
        Clock.Advance(4 * s_second);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal((2, 1), (Probe[Hit], Probe["inner hit"]));
        Clock.Advance(6 * s_second);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal((2, 3), (Probe[Hit], Probe["inner hit"]));

        ValueTask Count(string name)
        {
            Probe.Hit(name);
            return default;
        }
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task TwoCaches_LeaderLeaves_NobodyCallsAgain(CacheKind kind)
    {
        var pipeline = AddCache(Builder<string>("two").AddCache(Memory, Counted<string>()), kind, Counted<string>()).AddSingleFlight(Flights()).Build();
        var gate = new Gate();
        using var source = new CancellationTokenSource();
        var leader = Fetch(pipeline, "key", gate, source.Token);
        await Probe.Reached(Upstream, 1);
        var follower = Fetch(pipeline, "key");
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);
        gate.Open();

        Assert.Equal("key:1", await follower);
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(1, Memory.Count);
    }

    [Theory]
    [InlineData("first", "second", 2)]
    [InlineData(null, null, 1)]
    public async Task TwoCaches_OnOneStore_AreApartByTheirNames(string? firstName, string? secondName, int entries)
    {
        var (first, second) = (Counted<string>(), Counted<string>());
        (first.Name, second.Name) = (firstName, secondName);
        var pipeline = Builder<string>("two").AddCache(Memory, first).AddCache(Memory, second).AddSingleFlight(Flights()).Build();

        await Fetch(pipeline, "key");

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(entries, Memory.Count);
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task PipelineAddedToThePipeline_WithTheFlightInIt_ResultIsCached(CacheKind kind)
    {
        var flight = Builder<string>().AddSingleFlight(Flights()).Build();
        var pipeline = AddCache(Builder<string>("joined"), kind, Counted<string>()).AddPipeline(flight).Build();

        await Fetch(pipeline, "key");

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(1, Probe[Started]);
    }

    private ResiliencePipeline<string> Composed(CacheKind kind, CacheStrategyOptions<string> options) =>
        AddCache(Builder<string>("composed"), kind, options).AddSingleFlight(Flights()).AddRetry(Retry()).Build();

    private SingleFlightStrategyOptions<string> Flights() => Watched(new SingleFlightStrategyOptions<string>());

    private static RetryStrategyOptions<string> Retry() => new()
    {
        ShouldHandle = new PredicateBuilder<string>().Handle<InvalidOperationException>(),
        MaxRetryAttempts = 3,
        Delay = TimeSpan.Zero,
    };

    /// <summary>Sends the callers off, lets upstream answer when all of them are there, and returns how often it was called.</summary>
    private async Task<int> WaveAsync(ResiliencePipeline<string> pipeline, int expectedCalls)
    {
        var (before, joined) = (Probe[Upstream], Probe[Joined]);
        var gate = new Gate();
        var callers = Callers(pipeline, gate);
        if (expectedCalls > 0)
        {
            await Probe.Reached(Joined, joined + 1000 - expectedCalls);
        }

        gate.Open();
        var results = await Task.WhenAll(callers);
        Assert.All(results.Zip(Enumerable.Range(0, 1000)), pair => Assert.StartsWith(s_keys[pair.Second % 4] + ":", pair.First, StringComparison.Ordinal));
        Assert.Equal(4, results.Distinct().Count());
        return Probe[Upstream] - before;
    }

    private Task<string>[] Callers(ResiliencePipeline<string> pipeline, Gate gate) =>
        [.. Enumerable.Range(0, 1000).Select(i => Task.Run(() => Fetch(pipeline, s_keys[i % 4], gate)))];
}
