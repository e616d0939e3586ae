using System.Globalization;

namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>Keys that caches refuse, or take for each other, and keys that are no strings.</summary>
public class KeyTests(RedisServer redis) : RealCacheTest(redis)
{
    public static TheoryData<CacheKind, int> OddKeys()
    {
        var data = new TheoryData<CacheKind, int>();
        foreach (var kind in Enum.GetValues<CacheKind>())
        {
            for (var i = 0; i < Odd.Length; i++)
            {
                data.Add(kind, i);
            }
        }

        return data;
    }

    /// <summary>Pairs that must not find each other's entries.</summary>
    private static (object Left, object Right)[] Odd =>
    [
        (new string('a', 2000), new string('a', 2000) + "b"),
        (new string('a', 1025), new string('a', 1024)),
        ("line\nfeed", "line\rfeed"),
        ("nul\0", "nul"),
        ("\ud800", "\ud801"),
        ("a\udc00b", "a\udc01b"),
        ("\ud83d\ude00", "\ud83d\ude01"),
        ("\u2028", "\u2029"),
        (" ", "  "),
        ("é", "e\u0301"),
        ("K", "k"),
        ("1", 1),
        (1, 1L),
        ((1, 11), (11, 1)),
        (("a", "b"), ("a|1:b", "")),
        (("a", (string?)null), ("a", "")),
        ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 5, 6, 7, 8, 10)),
        (Guid.Empty, Guid.Empty.ToString("N")),
        (DayOfWeek.Sunday, 0),
        (DayOfWeek.Sunday, DateTimeKind.Unspecified),
        (true, "b1"),
        (new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateOnly(2026, 1, 1)),
        (new Uri("https://a.example/x"), new Uri("https://a.example/y")),
        (1.5, 1.5m),
        ('a', "a"),
    ];

    [Theory]
    [MemberData(nameof(OddKeys))]
    public async Task OddKey_IsFoundAgain_AndNoOther(CacheKind kind, int index)
    {
        var (left, right) = Odd[index];
        var pipeline = Cached<string>(NewNode(kind));

        Assert.Equal("left", await Read(pipeline, left, "left"));
        Assert.Equal("right", await Read(pipeline, right, "right"));

        Assert.Equal("left", await Read(pipeline, left, "unused"));
        Assert.Equal("right", await Read(pipeline, right, "unused"));
        Assert.Equal(2, Probe[Upstream]);
        Assert.Equal(0, Listener.Count("OnCacheFailed"));
    }

    /// <summary>On a node that speaks another language the key is the same.</summary>
    [Theory]
    [MemberData(nameof(Kinds.Distributed), MemberType = typeof(Kinds))]
    public async Task Key_OnANodeOfAnotherCulture_IsTheSame(CacheKind kind)
    {
        object[] keys = [-1, 1234567.5, (1.5m, new DateTime(2026, 11, 26, 1, 2, 3, DateTimeKind.Utc)), new string('x', 1500), "\ud800", DayOfWeek.Friday];
        var here = Cached<string>(NewNode(kind));
        var there = Cached<string>(NewNode(kind), group: new SingleFlightGroup());
        var before = CultureInfo.CurrentCulture;
        foreach (var key in keys)
        {
            await Read(here, key, "value");
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("ar-SA");
            Assert.Equal("value", await Read(there, key, "unused"));
            CultureInfo.CurrentCulture = before;
        }

        Assert.Equal(keys.Length, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Kinds.AllHybrid), MemberType = typeof(Kinds))]
    public async Task Key_NotKnownToBeSpelledTheSame_IsRefused(CacheKind kind)
    {
        var pipeline = Cached<string>(NewNode(kind));

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => Read(pipeline, new object(), "value"));

        Assert.Contains("KeyGenerator", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task LongScope_EntriesAreFound(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Counted<string>(configure: options => options.Scope = Prefix + new string('s', 3000) + "\n"));

        await Read(pipeline, "k", "value");

        Assert.Equal("value", await Read(pipeline, "k", "unused"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task OddKey_IsEvicted(CacheKind kind)
    {
        var control = new CacheManualControl();
        var pipeline = Cached(NewNode(kind), Counted<string>(configure: options => options.ManualControl = control));
        object[] keys = [new string('a', 2000), "\ud800", ("tenant", 1), Guid.NewGuid()];
        foreach (var key in keys)
        {
            await Read(pipeline, key, "old");
            await control.EvictAsync(key);
            Assert.Equal("new", await Read(pipeline, key, "new"));
        }
    }
}
