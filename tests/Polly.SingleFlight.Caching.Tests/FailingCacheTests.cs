using Polly.Telemetry;

namespace Polly.SingleFlight.Caching.Tests;

/// <summary>A cache that throws fails no call.</summary>
public sealed class FailingCacheTests : CacheTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Lookup_Throws_CallsAndReports(bool withFlight)
    {
        Memory.LookedUp = _ => throw new InvalidOperationException("about secret");
        var pipeline = Cached<string>(withFlight: withFlight);

        Assert.Equal("secret:1", await Fetch(pipeline, "secret"));

        AssertReported("Lookup", withFlight ? 2 : 1);
        Memory.LookedUp = null;
        Assert.Equal("secret:1", await Fetch(pipeline, "secret"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Store_Throws_ReturnsAndReports(bool withFlight)
    {
        Memory.Storing = () => throw new InvalidOperationException("about secret");
        var pipeline = Cached<string>(withFlight: withFlight);

        Assert.Equal("secret:1", await Fetch(pipeline, "secret"));
        Assert.Equal("secret:2", await Fetch(pipeline, "secret"));

        AssertReported("Store", 2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HybridLookup_Throws_CallsAndReports(bool withFlight)
    {
        Hybrid.LookingUp = _ => throw new InvalidOperationException("about secret");
        var pipeline = CachedHybrid<string>(withFlight: withFlight);

        Assert.Equal("secret:1", await Fetch(pipeline, "secret"));

        AssertReported("Lookup", withFlight ? 2 : 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HybridStore_Throws_ReturnsAndReports(bool withFlight)
    {
        Hybrid.Storing = _ => Task.FromException(new InvalidOperationException("about secret"));
        var pipeline = CachedHybrid<string>(withFlight: withFlight);

        Assert.Equal("secret:1", await Fetch(pipeline, "secret"));

        AssertReported("Store", 1);
    }

    [Fact]
    public async Task HybridCache_GivesUpByItself_IsNoCancellationOfTheCaller()
    {
        Hybrid.LookingUp = _ => Task.FromException(new OperationCanceledException());
        Hybrid.Storing = _ => Task.FromException(new TimeoutException());
        var pipeline = CachedHybrid<string>(withFlight: false);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(2, Listener.Count("OnCacheFailed"));
    }

    [Fact]
    public async Task Serialization_Fails_CallsAndReports()
    {
        var pipeline = CachedHybrid<Unserializable>(new(), withFlight: false);
        await Call(pipeline, "key", _ => Task.FromResult(new Unserializable()));
        AssertReported("Store", 1);

        var texts = CachedHybrid<string>(withFlight: false);
        await Fetch(texts, "key");
        Hybrid.Spoil(Assert.Single(Hybrid.Keys));
        Assert.Equal("key:2", await Fetch(texts, "key"));
        Assert.Equal("key:2", await Fetch(texts, "key"));
        Assert.Equal(2, Listener.Count("OnCacheFailed"));
    }

    [Fact]
    public async Task StaleLookup_Throws_LeavesTheFailureOfTheCall()
    {
        var pipeline = Cached(Counted<string>(staleOnError: s_second));
        Memory.LookedUp = _ => throw new NotSupportedException();

        await Assert.ThrowsAsync<InvalidOperationException>(() => Fail(pipeline, "key"));
    }

    [Fact]
    public async Task DisposedMemoryCache_FailsNoCall()
    {
        var memory = new MemoryCache(new MemoryCacheOptions());
        var pipeline = Builder<string>().AddCache(memory, Counted<string>()).Build();
        memory.Dispose();

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(2, Listener.Count("OnCacheFailed"));
    }

    [Fact]
    public async Task SizeLimit_IsCountedInEntries()
    {
        using var memory = new MemoryCache(new MemoryCacheOptions { SizeLimit = 1 });
        var pipeline = Builder<string>().AddCache(memory, Counted<string>()).Build();

        await Fetch(pipeline, "key");

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(0, Listener.Count("OnCacheFailed"));
    }

    [Fact]
    public async Task Key_WhoseEqualityThrows_LeavesNothingBehind()
    {
        var pipeline = Cached(Counted<string>(refreshAfter: s_second), withFlight: false);
        var key = new Fragile();
        await Fetch(pipeline, key);
        Assert.Equal($"{key}:1", await Fetch(pipeline, key));
        key.IsBroken = true;
        Assert.Equal($"{key}:2", await Fetch(pipeline, key));
        key.IsBroken = false;
        Assert.Equal($"{key}:1", await Fetch(pipeline, key));
    }

    private void AssertReported(string source, int times)
    {
        var reports = Listener.Reports.Where(report => report.Name == "OnCacheFailed").ToArray();
        Assert.Equal(times, reports.Length);
        Assert.All(reports, report =>
        {
            Assert.Equal(ResilienceEventSeverity.Error, report.Severity);
            Assert.Contains(source, report.Arguments, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", report.Arguments, StringComparison.Ordinal);
        });
    }

    private sealed class Fragile
    {
        public bool IsBroken { get; set; }

        public override bool Equals(object? obj) => ReferenceEquals(this, obj);

        public override int GetHashCode() => IsBroken ? throw new InvalidOperationException("broken") : 1;
    }

    private sealed class Unserializable
    {
        public Unserializable Self => this;

        public string Fails => throw new NotSupportedException(Self.GetType().Name);
    }
}
