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

        // That the entry is there cannot be seen either.
        AssertReported("Lookup", withFlight ? 2 : 1);
        AssertReported("Store", 1);
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
        var pipeline = OverHooked(withFlight, out var cache);
        cache.LookingUp = () => throw new InvalidOperationException("about secret");

        Assert.Equal("secret:1", await Fetch(pipeline, "secret"));

        // A look that failed is not repeated by the call; and that the entry is there cannot be seen either.
        AssertReported("Lookup", 1);
        AssertReported("Store", 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HybridStore_Throws_ReturnsAndReports(bool withFlight)
    {
        var pipeline = OverHooked(withFlight, out var cache);
        cache.Storing = () => Task.FromException(new InvalidOperationException("about secret"));

        Assert.Equal("secret:1", await Fetch(pipeline, "secret"));

        AssertReported("Store", 1);
    }

    [Fact]
    public async Task HybridCache_GivesUpByItself_IsNoCancellationOfTheCaller()
    {
        var pipeline = OverHooked(withFlight: false, out var cache);
        cache.LookingUp = () => Task.FromException(new OperationCanceledException());
        cache.Storing = () => Task.FromException(new TimeoutException());

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(2, Listener.Count("OnCacheFailed"));
    }

    /// <summary>A distributed cache that is down makes the libraries keep entries in the memory of the process, without a word.</summary>
    [Theory]
    [MemberData(nameof(DistributedCaches))]
    public async Task DistributedCache_Throws_FailsNoCall(CacheKind kind)
    {
        Distributed.LookingUp = _ => Task.FromException(new InvalidOperationException("about secret"));
        Distributed.Storing = _ => Task.FromException(new InvalidOperationException("about secret"));
        var pipeline = Cached<string>(kind);

        Assert.Equal("secret:1", await Fetch(pipeline, "secret"));
        Assert.Equal("secret:1", await Fetch(pipeline, "secret"));
    }

    [Theory]
    [InlineData(CacheKind.HybridL1)]
    [InlineData(CacheKind.HybridL2)]
    public async Task Serialization_Fails_CallsAndReports(CacheKind kind)
    {
        var pipeline = Cached<Unserializable>(kind, new(), withFlight: false);

        await Call(pipeline, "key", _ => Task.FromResult(new Unserializable()));

        AssertReported("Store", 1);
    }

    [Theory]
    [MemberData(nameof(DistributedCaches))]
    public async Task Deserialization_Fails_CallsAndReplacesTheEntry(CacheKind kind)
    {
        await Fetch(Cached<string>(kind, withFlight: false), "key");
        Distributed.Spoil(Assert.Single(Distributed.Keys));
        using var node = new HybridUnderTest(kind, Clock, Distributed);
        var pipeline = Builder<string>("pipeline").AddCache(node.Cache, Counted<string>()).Build();

        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    [Fact]
    public async Task StaleLookup_Throws_LeavesTheFailureOfTheCall()
    {
        var pipeline = Cached(Counted<string>(staleOnError: s_second));
        Memory.LookedUp = _ => throw new NotSupportedException();

        await Assert.ThrowsAsync<InvalidOperationException>(() => Fail(pipeline, "key"));
    }

    [Fact]
    public async Task Entry_WhoseTimeIsOverBeforeItIsSeen_IsNoFailure()
    {
        Memory.Storing = () => Memory.LookingUp = () => Clock.Advance(TimeSpan.FromHours(1));
        var pipeline = Cached<string>(withFlight: false);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(0, Listener.Count("OnCacheFailed"));
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

    private ResiliencePipeline<string> OverHooked(bool withFlight, out HookedHybridCache cache)
    {
        cache = new HookedHybridCache(Hybrid(CacheKind.HybridL2));
        var builder = Builder<string>("hooked").AddCache(cache, Counted<string>());
        return withFlight ? builder.AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>())).Build() : builder.Build();
    }

    private void AssertReported(string source, int times)
    {
        var reports = Listener.Reports
            .Where(report => report.Name == "OnCacheFailed" && report.Arguments!.Contains(source, StringComparison.Ordinal)).ToArray();
        Assert.Equal(times, reports.Length);
        Assert.All(reports, report =>
        {
            Assert.Equal(ResilienceEventSeverity.Error, report.Severity);
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
