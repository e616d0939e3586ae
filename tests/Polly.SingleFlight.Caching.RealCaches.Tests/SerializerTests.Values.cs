namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>What is kept is what comes back: immutable results as the same object, null, defaults and what is empty as such.</summary>
public partial class SerializerTests
{
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ImmutableResult_HitsAreTheSameObject(CacheKind kind)
    {
        var pipeline = Cached<Immutable>(NewNode(kind));
        await Read(pipeline, "k", new Immutable("value"));

        var first = await Read(pipeline, "k", new Immutable("unused"));
        var second = await Read(pipeline, "k", new Immutable("unused"));

        Assert.Equal("value", first.Value);
        Assert.Same(first, second);
    }

    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task ImmutableResult_OnAnotherNode_IsReadOnceAndTheSameObject(CacheKind kind)
    {
        await Read(Cached<Immutable>(NewNode(kind)), "k", new Immutable("value"));
        var pipeline = Cached<Immutable>(NewNode(kind), group: new SingleFlightGroup());

        // The first is handed out as it was read, and the cache may keep another.
        Assert.Equal("value", (await Read(pipeline, "k", new Immutable("unused"))).Value);

        Assert.Same(await Read(pipeline, "k", new Immutable("unused")), await Read(pipeline, "k", new Immutable("unused")));
        Assert.Equal(1, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public Task Integer_IsKept(CacheKind kind) => IsKept(kind, 0, 1);

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public Task NullableWithoutValue_IsKept(CacheKind kind) => IsKept<int?>(kind, null, 1);

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public Task NullString_IsKept(CacheKind kind) => IsKept<string?>(kind, null, "unused");

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public Task NullObject_IsKept(CacheKind kind) => IsKept<Token?>(kind, null, new Token());

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public Task DefaultStruct_IsKept(CacheKind kind) => IsKept(kind, default(DateTimeOffset), DateTimeOffset.MaxValue);

    [Theory]
    [InlineData(CacheKind.Memory)]
    [InlineData(CacheKind.Hybrid)]
    [InlineData(CacheKind.HybridRedis)]
    public Task Tuple_IsKept(CacheKind kind) => IsKept(kind, (1, "two"), (0, ""));

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public Task Bytes_AreKept(CacheKind kind) => IsKept<byte[]>(kind, [1, 2, 3], []);

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public Task EmptyString_IsKept(CacheKind kind) => IsKept(kind, "", "unused");

    private async Task IsKept<T>(CacheKind kind, T value, T unused)
    {
        var pipeline = Cached<T>(NewNode(kind));
        Assert.Equal(value, await Read(pipeline, "k", value));

        Assert.Equal(value, await Read(pipeline, "k", unused));
        Assert.Equal(1, Probe[Upstream]);
        if (kind is CacheKind.HybridRedis or CacheKind.FusionRedis)
        {
            Assert.Equal(value, await Read(Cached<T>(NewNode(kind), group: new SingleFlightGroup()), "k", unused));
            Assert.Equal(1, Probe[Upstream]);
        }
    }
}
