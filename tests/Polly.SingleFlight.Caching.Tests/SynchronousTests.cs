namespace Polly.SingleFlight.Caching.Tests;

/// <summary><c>Execute</c>: hits and misses on the caller's thread, and callers that block share a flight.</summary>
public sealed class SynchronousTests : CacheTest
{
    /// <summary>On the caller's thread, where the cache answers at once.</summary>
    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Execute_MissThenHit_ReturnsTheCachedResult(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);
        var threads = new List<int>();

        var results = await SyncCall.Start("key", default, null, context =>
        {
            threads.Add(Environment.CurrentManagedThreadId);
            return (pipeline.Execute(Upstream, context, this), pipeline.Execute(Upstream, context, this), Environment.CurrentManagedThreadId);
        });

        Assert.Equal(("key:1", "key:1"), (results.Item1, results.Item2));
        Assert.Equal(1, Probe[CacheTest.Upstream]);

        string Upstream(ResilienceContext context, SynchronousTests self)
        {
            Assert.True(kind != CacheKind.Memory || threads[0] == Environment.CurrentManagedThreadId);
            return Answer("key");
        }
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Execute_BlockedCallersAndAsynchronousOnes_ShareTheFlightAndTheEntry(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);
        var gate = new Gate();
        var leader = Fetch(pipeline, "key", gate);
        await Probe.Reached(Upstream, 1);
        var blocked = Enumerable.Range(0, 5).Select(_ => SyncCall.Start("key", default, null, context =>
            pipeline.Execute(static (_, self) => self.Answer("key"), context, this))).ToArray();
        await Probe.Reached(Joined, 5);
        gate.Open();

        Assert.All(await Task.WhenAll([leader, .. blocked]), result => Assert.Equal("key:1", result));
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Execute_Fails_ThrowsWhatTheCallbackThrew(CacheKind kind)
    {
        var pipeline = Cached(kind, Counted<string>(staleOnError: TimeSpan.FromHours(1)));

        await Assert.ThrowsAsync<NotSupportedException>(() => SyncCall.Start<string>("key", default, null, context =>
            pipeline.Execute(static string (_, _) => throw new NotSupportedException(), context, this)));
        await Fetch(pipeline, "key");
        Clock.Advance(10 * s_second);
        Assert.Equal("key:1", await SyncCall.Start("key", default, null, context =>
            pipeline.Execute(static string (_, _) => throw new NotSupportedException(), context, this)));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Execute_TokenCancelled_ThrowsTheCallersCancellation(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);
        using var source = new CancellationTokenSource();
        await source.CancelAsync();

        await IsCanceledBy(
            SyncCall.Start("key", source.Token, null, context => pipeline.Execute(static (_, self) => self.Answer("key"), context, this)),
            source.Token);
        Assert.Equal(0, Probe[Upstream]);
    }
}
