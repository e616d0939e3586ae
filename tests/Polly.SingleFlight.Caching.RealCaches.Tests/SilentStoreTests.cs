namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>A cache that takes an entry without an error may not have it. A store has succeeded when the entry is seen.</summary>
public class SilentStoreTests(RedisServer redis) : RealCacheTest(redis)
{
    private const string Large = "too large";

    public static TheoryData<CacheKind, bool> Refusals() => new()
    {
        { CacheKind.Memory, true },
        { CacheKind.Hybrid, false },
        { CacheKind.HybridRedis, false },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task NotTaken_IsReported_AndSaidToTheCaller(CacheKind kind, bool isTooLarge)
    {
        var pipeline = Pipeline(kind, isTooLarge);

        var answer = await Ask(pipeline, "k", Refused);

        Assert.Null(answer.Cache!.StoredAt);
        Assert.Equal(1, Listener.Count("OnCacheFailed"));
        Assert.Equal("fits", (await Read(pipeline, "k", new Token { Value = "fits" })).Value);
        Assert.Equal("fits", (await Read(pipeline, "k", Refused)).Value);
    }

    /// <summary>100 hits are not 100 refreshes: what cannot be stored is left alone for a moment.</summary>
    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Refresh_NotTaken_BacksOff(CacheKind kind, bool isTooLarge)
    {
        var pipeline = Pipeline(kind, isTooLarge);
        await Read(pipeline, "k", new Token { Value = "fits" });
        Clock.Advance(6 * s_minute);

        for (var i = 0; i < 100; i++)
        {
            Assert.Equal("fits", (await Read(pipeline, "k", Refused)).Value);
            await Probe.Reached(Refreshed, 1);
        }

        Assert.Equal(2, Probe[Upstream]);
        Assert.Equal(1, Listener.Count("OnCacheFailed"));
        Clock.Advance(TimeSpan.FromSeconds(6));
        await Read(pipeline, "k", Refused);
        await Probe.Reached(Refreshed, 2);
        Assert.Equal(3, Probe[Upstream]);
    }

    /// <summary>Microsoft's cache keeps what is too large in the memory of the process, and nowhere else.</summary>
    [Theory]
    [InlineData(CacheKind.Hybrid)]
    [InlineData(CacheKind.HybridRedis)]
    public async Task TooLargeForTheHybridCache_IsKeptInMemory(CacheKind kind)
    {
        var pipeline = Pipeline(kind, isTooLarge: true);

        await Read(pipeline, "k", Refused);

        Assert.Equal(Large, (await Read(pipeline, "k", new Token { Value = "unused" })).Value);
        Assert.Equal(1, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task Refresh_ShouldCacheRefuses_BacksOff(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<Token>(refreshes: true, options => options.ShouldCache = static args => new(args.Outcome.Result!.Value != Large)));
        await Read(pipeline, "k", new Token { Value = "fits" });
        Clock.Advance(6 * s_minute);

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("fits", (await Read(pipeline, "k", Refused)).Value);
            await Probe.Reached(Refreshed, 1);
        }

        Assert.Equal(2, Probe[Upstream]);
    }

    private static Token Refused => new() { Value = Large };

    private ResiliencePipeline<Token> Pipeline(CacheKind kind, bool isTooLarge)
    {
        if (kind == CacheKind.Memory)
        {
            var memory = new MemoryCache(new MemoryCacheOptions { SizeLimit = 100 });
            return Builder<Token>()
                .AddCache(memory, Counted<Token>(refreshes: true, options => options.Size = static token => token.Value == Large ? 1000 : 1))
                .AddSingleFlight(Watched(new SingleFlightStrategyOptions<Token>()))
                .Build();
        }

        var node = NewNode(kind, services =>
        {
            if (isTooLarge)
            {
                services.Configure<HybridCacheOptions>(options => options.MaximumPayloadBytes = 2000);
                services.AddSingleton<IHybridCacheSerializer<Token>>(new PaddingSerializer());
            }
            else
            {
                services.AddSingleton<IHybridCacheSerializer<Token>>(new FailingSerializer(token => token.Value == Large));
            }
        });
        return Cached(node, Counted<Token>(refreshes: true));
    }

    /// <summary>Writes more than the cache takes where the test wants it.</summary>
    private sealed class PaddingSerializer : IHybridCacheSerializer<Token>
    {
        private readonly EncryptingSerializer _serializer = new();

        public Token Deserialize(System.Buffers.ReadOnlySequence<byte> source) => _serializer.Deserialize(source);

        public void Serialize(Token value, System.Buffers.IBufferWriter<byte> target) =>
            _serializer.Serialize(value.Value == Large ? new Token { Value = new string('x', 5000) } : value, target);
    }
}
