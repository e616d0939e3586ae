using System.ComponentModel;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Polly.Telemetry;

namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>The serializer that is registered for a type writes the type.</summary>
public partial class SerializerTests(RedisServer redis) : RealCacheTest(redis)
{
    private const string Secret = "a secret that must not be read in Redis";

    public static TheoryData<CacheKind, bool, bool> Registrations()
    {
        var data = new TheoryData<CacheKind, bool, bool>();
        foreach (var kind in (CacheKind[])[CacheKind.Hybrid, CacheKind.HybridRedis])
        {
            foreach (var first in (bool[])[true, false])
            {
                data.Add(kind, first, true);
                data.Add(kind, first, false);
            }
        }

        return data;
    }

    /// <summary>Registered by itself or by a factory, and the line for our own before AddHybridCache or after.</summary>
    [Theory]
    [MemberData(nameof(Registrations))]
    public async Task SerializerOfTheResult_WritesIt(CacheKind kind, bool ourLineFirst, bool byFactory)
    {
        var serializer = new EncryptingSerializer();
        var node = NewNode(kind, Register, withSerializers: !ourLineFirst);
        var pipeline = Cached<Token>(node);

        await Read(pipeline, "k", new Token { Value = Secret });

        Assert.Equal(Secret, (await Read(pipeline, "k", new Token { Value = "unused" })).Value);
        Assert.NotEqual(0, serializer.Written);
        Assert.NotEqual(0, serializer.Read);
        Assert.Equal(0, Listener.Count("OnCacheSerializersMissing"));
        await AssertNothingReadable();
        if (kind == CacheKind.HybridRedis)
        {
            var elsewhere = Cached<Token>(NewNode(kind, Register, withSerializers: !ourLineFirst), group: new SingleFlightGroup());
            Assert.Equal(Secret, (await Read(elsewhere, "k", new Token { Value = "unused" })).Value);
            Assert.Equal(1, Probe[Upstream]);
        }

        void Register(IServiceCollection services)
        {
            if (ourLineFirst)
            {
                services.AddSingleFlightCacheSerializers();
            }

            if (byFactory)
            {
                services.AddSingleton<IHybridCacheSerializerFactory>(new Factory(serializer));
            }
            else
            {
                services.AddSingleton<IHybridCacheSerializer<Token>>(serializer);
            }
        }
    }

    /// <summary>What else the application keeps in the cache is none of our business.</summary>
    [Theory]
    [MemberData(nameof(Registrations))]
    public async Task OtherTypesOfTheApplication_AreSerializedAsBefore(CacheKind kind, bool ourLineFirst, bool withSerializer)
    {
        var serializer = new EncryptingSerializer();
        var node = NewNode(
            kind,
            services =>
            {
                if (ourLineFirst)
                {
                    services.AddSingleFlightCacheSerializers();
                }

                if (withSerializer)
                {
                    services.AddSingleton<IHybridCacheSerializer<Token>>(serializer);
                }
            },
            withSerializers: !ourLineFirst);
        _ = Cached<Token>(node);

        var token = await node.Hybrid!.GetOrCreateAsync("bare", _ => new ValueTask<Token>(new Token { Value = "bare" }));
        var pair = await node.Hybrid.GetOrCreateAsync("pair", _ => new ValueTask<(int, string)>((1, "two")));
        var text = await node.Hybrid.GetOrCreateAsync("text", _ => new ValueTask<string>("text"));

        Assert.Equal("bare", token.Value);
        Assert.Equal("bare", (await node.Hybrid.GetOrCreateAsync("bare", _ => new ValueTask<Token>(new Token()))).Value);
        Assert.Equal((1, "two"), await node.Hybrid.GetOrCreateAsync("pair", _ => new ValueTask<(int, string)>((0, ""))));
        Assert.Equal("text", await node.Hybrid.GetOrCreateAsync("text", _ => new ValueTask<string>("")));
        Assert.Equal(withSerializer, serializer.Written != 0);
        Assert.Equal(((1, "two"), "text"), (pair, text));
    }

    [Theory]
    [InlineData(CacheKind.Hybrid)]
    [InlineData(CacheKind.HybridRedis)]
    public async Task SerializersMissing_NothingInRedis_OneWarningWithTheLine(CacheKind kind)
    {
        var node = NewNode(kind, services => services.AddSingleton<IHybridCacheSerializer<Token>>(new EncryptingSerializer()), withSerializers: false);
        var pipeline = Cached<Token>(node);

        await Read(pipeline, "k", new Token { Value = Secret });
        await Read(pipeline, "another", new Token { Value = Secret });

        Assert.Equal(Secret, (await Read(pipeline, "k", new Token { Value = "unused" })).Value);
        var warning = Assert.Single(Listener.Reports, report => report.Name == "OnCacheSerializersMissing");
        Assert.Equal(ResilienceEventSeverity.Warning, warning.Severity);
        Assert.Contains("services.AddSingleFlightCacheSerializers()", warning.Arguments, StringComparison.Ordinal);
        Assert.Equal(0, node.Distributed?.Writes ?? 0);
        await AssertNothingReadable();
    }

    /// <summary>A JSON context, as an application has that is compiled ahead of time.</summary>
    [Theory]
    [MemberData(nameof(Kinds.AllHybrid), MemberType = typeof(Kinds))]
    public async Task JsonContext_IsUsed(CacheKind kind)
    {
        var resolver = new WatchedResolver();
        var options = new JsonSerializerOptions { TypeInfoResolver = resolver };
        var pipeline = Cached<Closed>(NewNode(kind, Register));

        await Read(pipeline, "k", Closed.Of("value", 3));

        var found = await Read(pipeline, "k", Closed.Of("unused", 0));
        Assert.Equal(("value", 3), (found.Name, found.Count));
        Assert.Equal(1, Probe[Upstream]);

        // FusionCache has one serializer for all types, with options of its own.
        Assert.Equal(kind is CacheKind.Hybrid or CacheKind.HybridRedis, resolver.Asked.Contains(typeof(Closed)));
        if (kind is CacheKind.HybridRedis)
        {
            var elsewhere = await Read(Cached<Closed>(NewNode(kind, Register), group: new SingleFlightGroup()), "k", Closed.Of("unused", 0));
            Assert.Equal(("value", 3), (elsewhere.Name, elsewhere.Count));
        }

        void Register(IServiceCollection services) => services.AddKeyedSingleton<JsonSerializerOptions>(typeof(IHybridCacheSerializer<>), options);
    }

    /// <summary>A type that only its own serializer can make again.</summary>
    [Theory]
    [InlineData(CacheKind.Hybrid)]
    [InlineData(CacheKind.HybridRedis)]
    public async Task PrivateConstructorAndSetters_ComeBackWhole(CacheKind kind)
    {
        var pipeline = Cached<Private>(NewNode(kind, services => services.AddSingleton<IHybridCacheSerializer<Private>>(new PrivateSerializer())));

        await Read(pipeline, "k", Private.Of("value"));

        Assert.Equal("value", (await Read(pipeline, "k", Private.Of("unused"))).Value);
        Assert.Equal(1, Probe[Upstream]);
    }

    /// <summary>A node with another key cannot read what is there: it calls, and says so.</summary>
    [Fact]
    public async Task Unreadable_IsCalledForAndReported()
    {
        await Read(Cached<Token>(Encrypting(1)), "k", new Token { Value = "theirs" });
        var pipeline = Cached<Token>(Encrypting(2), group: new SingleFlightGroup());

        Assert.Equal("ours", (await Read(pipeline, "k", new Token { Value = "ours" })).Value);

        Assert.NotEqual(0, Listener.Count("OnCacheFailed"));
        Assert.Equal("ours", (await Read(pipeline, "k", new Token { Value = "unused" })).Value);

        Node Encrypting(byte key) => NewNode(CacheKind.HybridRedis, services => services.AddSingleton<IHybridCacheSerializer<Token>>(new EncryptingSerializer(key)));
    }

    /// <summary>During a rolling deployment both versions of a service run over one cache.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task TwoVersions_NeverMeet(CacheKind kind)
    {
        var old = Cached(NewNode(kind), Counted<Token>(configure: options => options.Version = "1"));
        var next = Cached(NewNode(kind), Counted<Token>(configure: options => options.Version = "2"), group: new SingleFlightGroup());
        var unversioned = Cached(NewNode(kind), Counted<Token>(), group: new SingleFlightGroup());
        await Read(old, "k", new Token { Value = "1" });

        Assert.Equal("2", (await Read(next, "k", new Token { Value = "2" })).Value);
        Assert.Equal("none", (await Read(unversioned, "k", new Token { Value = "none" })).Value);

        var oldElsewhere = Cached(NewNode(kind), Counted<Token>(configure: options => options.Version = "1"), group: new SingleFlightGroup());
        Assert.Equal("1", (await Read(oldElsewhere, "k", new Token { Value = "unused" })).Value);
        Assert.Equal(3, Probe[Upstream]);
    }

    /// <summary>Looks at everything of this test that Redis has.</summary>
    private async Task AssertNothingReadable()
    {
        var database = Redis.Connection.GetDatabase();
        await foreach (var key in Redis.Connection.GetServers()[0].KeysAsync(pattern: Prefix + "*"))
        {
            foreach (var field in await database.HashGetAllAsync(key))
            {
                Assert.DoesNotContain(Secret, Encoding.UTF8.GetString((byte[])field.Value!), StringComparison.Ordinal);
            }
        }
    }

    internal sealed class Closed
    {
        [JsonConstructor]
        internal Closed()
        {
        }

        [JsonInclude]
        public string Name { get; internal set; } = "";

        [JsonInclude]
        public int Count { get; internal set; }

        public static Closed Of(string name, int count) => new() { Name = name, Count = count };
    }

    [JsonSerializable(typeof(Closed))]
    internal sealed partial class Context : JsonSerializerContext;

    /// <summary>The context, with the types that it was asked for.</summary>
    private sealed class WatchedResolver : System.Text.Json.Serialization.Metadata.IJsonTypeInfoResolver
    {
        public System.Collections.Concurrent.ConcurrentBag<Type> Asked { get; } = [];

        public System.Text.Json.Serialization.Metadata.JsonTypeInfo? GetTypeInfo(Type type, JsonSerializerOptions options)
        {
            Asked.Add(type);
            return ((System.Text.Json.Serialization.Metadata.IJsonTypeInfoResolver)Context.Default).GetTypeInfo(type, options);
        }
    }

    [ImmutableObject(true)]
    internal sealed record Immutable(string Value);

    private sealed class Private
    {
        private Private(string value) => Value = value;

        public string Value { get; }

        public static Private Of(string value) => new(value);
    }

    private sealed class PrivateSerializer : IHybridCacheSerializer<Private>
    {
        public Private Deserialize(System.Buffers.ReadOnlySequence<byte> source) => Private.Of(Encoding.UTF8.GetString(source));

        public void Serialize(Private value, System.Buffers.IBufferWriter<byte> target) => Encoding.UTF8.GetBytes(value.Value, target);
    }

    private sealed class Factory(EncryptingSerializer serializer) : IHybridCacheSerializerFactory
    {
        public bool TryCreateSerializer<T>([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IHybridCacheSerializer<T>? made)
        {
            made = serializer as IHybridCacheSerializer<T>;
            return made is not null;
        }
    }
}
