namespace Polly.SingleFlight.Caching.Tests;

/// <summary>Which outcomes are kept, of which types.</summary>
public sealed class OutcomeTests : CacheTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Exception_IsNeverCached(bool withFlight)
    {
        var options = Counted<string>();
        options.ShouldCache = _ => throw new InvalidOperationException("asked about an exception");
        var pipeline = Cached(options, withFlight);

        await Assert.ThrowsAsync<InvalidOperationException>(() => Fail(pipeline, "key"));
        await Assert.ThrowsAsync<OperationCanceledException>(() => Fail(pipeline, "key", new OperationCanceledException()));
        await Assert.ThrowsAsync<NotSupportedException>(() => Call<string>(pipeline, "key", _ => throw new NotSupportedException()));

        Assert.Equal((0, 0), (Memory.Count, Listener.Count("OnCacheFailed")));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task ShouldCache_DecidesAboutResults(bool withFlight, bool yields)
    {
        var options = Counted<string>();
        options.ShouldCache = async args =>
        {
            if (yields)
            {
                await Task.Yield();
            }

            return args.Outcome.Result != "key:1";
        };
        var pipeline = Cached(options, withFlight);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
        Assert.Equal("key:2", await Fetch(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Null_IsAResultLikeAnyOther(CacheKind kind)
    {
        var options = new CacheStrategyOptions<string?>();
        var pipeline = Cached(kind, options);

        Assert.Null(await Call(pipeline, "key", _ => Task.FromResult<string?>(null)));
        Assert.Null(await Call(pipeline, "key", _ => Task.FromResult<string?>("not called")));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task ValueTypes_AreCached(CacheKind kind)
    {
        var numbers = Cached<int>(kind);
        var options = new CacheStrategyOptions<DateTimeOffset?>();
        var dates = Cached(kind, options);

        Assert.Equal(0, await Call(numbers, "key", _ => Task.FromResult(0)));
        Assert.Equal(0, await Call(numbers, "key", _ => Task.FromResult(1)));
        Assert.Null(await Call(dates, "key", _ => Task.FromResult<DateTimeOffset?>(null)));
        Assert.Null(await Call(dates, "key", _ => Task.FromResult<DateTimeOffset?>(DateTimeOffset.UnixEpoch)));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task DerivedType_OfTheResult_IsSeenByTheOptionsAsTheBase(CacheKind kind)
    {
        List<Animal?> seen = [];
        var options = Counted<Animal>();
        options.ShouldCache = args =>
        {
            seen.Add(args.Outcome.Result);
            return new(true);
        };
        options.OnHit = args =>
        {
            seen.Add(args.Result);
            return default;
        };
        var pipeline = Cached(kind, options);

        var cat = await Execute(new Cat("Tom", 9));
        var again = await Execute(new Cat("Felix", 1));
        var animal = await Execute(new Animal("Ant"));

        Assert.Equal(new Cat("Tom", 9), cat);
        Assert.Equal(cat, again);
        Assert.Equal("Ant", animal.Name);
        Assert.Equal([cat, cat, animal], seen);

        async Task<T> Execute<T>(T result)
            where T : Animal
        {
            var context = ResilienceContextPool.Shared.Get();
            context.SetSingleFlightKey("key");
            var found = await pipeline.ExecuteAsync(_ => new ValueTask<T>(result), context);
            ResilienceContextPool.Shared.Return(context);
            return found;
        }
    }

    [Fact]
    public void AddCache_DisposableResult_IsRefused()
    {
        foreach (var refused in new[]
        {
            Assert.Throws<ArgumentException>(() => Builder<MemoryStream>().AddCache(Memory, new CacheStrategyOptions<MemoryStream>())),
            Assert.Throws<ArgumentException>(() => Builder<MemoryStream>().AddCache(Hybrid(CacheKind.HybridL1), new CacheStrategyOptions<MemoryStream>())),
        })
        {
            Assert.Contains("MemoryStream is disposable", refused.Message, StringComparison.Ordinal);
        }

        Assert.Throws<ArgumentException>(() => Builder<IAsyncDisposable>().AddCache(Memory, new CacheStrategyOptions<IAsyncDisposable>()));
    }

    [Fact]
    public void AddCache_HttpResponseMessage_PointsToTheDeserializedResult()
    {
        var refused = Assert.Throws<ArgumentException>(
            () => Builder<HttpResponseMessage>().AddCache(Memory, new CacheStrategyOptions<HttpResponseMessage>()));

        Assert.Contains("Cache what was deserialized", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>The type that a caller asks for decides, as in the core.</summary>
    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Execute_DisposableTypeOnAPipelineOfObjects_IsRefusedUnlessItHasNoKey(CacheKind kind)
    {
        var options = new CacheStrategyOptions<object>();
        var pipeline = Cached(kind, options, withFlight: false);
        using var stream = new MemoryStream();

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Execute("key", stream));
        Assert.Contains("MemoryStream is disposable", refused.Message, StringComparison.Ordinal);
        Assert.Same(stream, await Execute(null, stream));
        Assert.Equal((0, 0), (Bare.Count, Distributed.Keys.Count));

        async Task<T> Execute<T>(string? key, T result)
            where T : notnull
        {
            var context = ResilienceContextPool.Shared.Get();
            context.SetSingleFlightKey(key);
            var found = await pipeline.ExecuteAsync(_ => new ValueTask<T>(result), context);
            ResilienceContextPool.Shared.Return(context);
            return found;
        }
    }

    public record Animal(string Name);

    public record Cat(string Name, int Lives) : Animal(Name);
}
