using System.Globalization;
using Polly.SingleFlight.Redis.Payload;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>What makes one thing of two executions, and what does not.</summary>
public sealed class IdentityTests(RedisServer server) : DistributedTest(server)
{
    private static readonly byte[] s_secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] s_otherSecret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    public enum Colour
    {
        Red,
        Green,
    }

    public enum OtherColour
    {
        Red,
    }

    public static TheoryData<object> Keys =>
    [
        "a", "A", "a ", "1", "n", "", "\ud800", "\ud801", 'x'.ToString(), 1, 1L, (short)1, 1u, 1.5, 1.5f, 1.5m, -1, true, false,
        Guid.Empty, Colour.Red, Colour.Green, OtherColour.Red,
        (1, 2), (1, "2"), ("1", "2"), ("1|2", ""), (1, (2, 3)), ((1, 2), 3), Tuple.Create(1, 2), (1, 2, 3, 4, 5, 6, 7, 8), ("a", (string?)null), ("a", ""),
    ];

    public static TheoryData<object> RefusedKeys => [new object(), new Uri("http://x"), DateTime.UnixEpoch, new[] { 1 }, new { A = 1 }, (1, new object()), new List<int>(), 'x'];

    [Fact]
    public void Keys_OfDifferentValues_AreSpelledDifferently()
    {
        var texts = Keys.Select(row => KeyText.Spell(row.Data)).ToList();
        Assert.Equal(texts.Count, texts.Distinct().Count());
        var identity = new ScopeIdentity("scope", default);
        Assert.Equal(texts.Count, Keys.Select(row => identity.IndexOf(row.Data)).Distinct().Count());
    }

    [Fact]
    public void Keys_AreSpelledAlike_InEveryCulture()
    {
        var before = CultureInfo.CurrentCulture;
        var texts = Keys.Select(row => KeyText.Spell(row.Data)).ToList();
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("de-DE") { NumberFormat = { NegativeSign = "~", NumberDecimalSeparator = "#" } };
            Assert.Equal(texts, Keys.Select(row => KeyText.Spell(row.Data)));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Keys_ThatAreEqual_AreSpelledAlike() => Assert.Equal(KeyText.Spell(1.0m), KeyText.Spell(1.00m));

    [Fact]
    public void Names_AreTheSameInEveryProcess()
    {
        // What is written here is what nodes of other versions expect.
        var identity = new ScopeIdentity("scope", default);
        Assert.Equal("polly-sf:{40cfa71e9d5bede0d653f28d686309deea909ea48f23257a3f56e07a78c0131c}", identity.IndexOf(("tenant", 7)));
        Assert.Equal("ab9b7b4a16ad5d48f999f676b25ca6b9", identity.KindOf(typeof(Dictionary<string, int?>), "json", 3));
    }

    [Theory]
    [MemberData(nameof(RefusedKeys))]
    public async Task Key_ThatIsNotSpelledTheSameEverywhere_IsRefused(object key)
    {
        var node = await StartAsync<int>();
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => node.Call(key, 1).Soon());
        Assert.Contains("Use a string", refusal.Message);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await node.Group.ForgetAsync(key));
    }

    [Fact]
    public async Task KeyGenerator_Throws_FailsThatCaller()
    {
        var options = Node<int>.Patient();
        options.KeyGenerator = _ => throw new FormatException("mine");
        var node = await StartAsync(options);
        Assert.Equal("mine", (await Assert.ThrowsAsync<FormatException>(() => node.Call("key", 1).Soon())).Message);
    }

    [Theory]
    [InlineData("scope")]
    [InlineData("secret")]
    [InlineData("other secret")]
    [InlineData("version")]
    [InlineData("type")]
    [InlineData("serializer")]
    [InlineData("key")]
    public async Task Nodes_ThatDifferInIt_DoNotMeet(string what)
    {
        var different = Node<long>.Patient();
        different.Version = what == "version" ? 1 : 0;
        different.Serializer = what == "serializer" ? new NumberSerializer() : null;
        var first = await StartAsync<long>(secret: what == "other secret" ? s_otherSecret : null);
        var second = await StartAsync(different, secret: what.EndsWith("secret", StringComparison.Ordinal) ? s_secret : null, scope: what == "scope" ? Scope + "2" : Scope);
        var third = await StartAsync<int>();
        var gate = new Gate();
        var leader = first.Call("key", async _ =>
        {
            await gate.Opened;
            return 1;
        });
        await first.Probe.Reached("callback", 1);
        Assert.Equal(2, what == "type" ? await third.Call("key", 2).Soon() : await second.Call(what == "key" ? "other" : "key", 2L).Soon());
        gate.Open();
        Assert.Equal(1, await leader.Soon());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nodes_WithTheSameSecretAndSerializer_Meet(bool withSerializer)
    {
        var nodes = await StartAllAsync(2, () =>
        {
            var options = Node<long>.Patient();
            options.Serializer = withSerializer ? new NumberSerializer() : null;
            options.Version = 5;
            return options;
        }, s_secret);
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return 17L;
        }, _ => Task.FromResult(2L));
        gate.Open();
        Assert.All(await Task.WhenAll(calls), result => Assert.Equal(17, result));
    }

    private sealed class NumberSerializer : Microsoft.Extensions.Caching.Hybrid.IHybridCacheSerializer<long>
    {
        public long Deserialize(System.Buffers.ReadOnlySequence<byte> source) => BitConverter.ToInt64(source.FirstSpan);

        public void Serialize(long value, System.Buffers.IBufferWriter<byte> target)
        {
            BitConverter.TryWriteBytes(target.GetSpan(8), value);
            target.Advance(8);
        }
    }
}
