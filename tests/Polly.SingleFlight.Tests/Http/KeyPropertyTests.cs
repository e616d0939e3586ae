using FsCheck;
using FsCheck.Fluent;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>Two requests have equal keys exactly when they are the same in everything that counts.</summary>
public sealed class KeyPropertyTests
{
    private const int Pairs = 10_000;

    private readonly HttpSingleFlightStrategyOptions _options = new()
    {
        Methods = { HttpMethod.Post },
        Discriminator = static request => request.Options.TryGetValue(RequestModel.DiscriminatorKey, out var value) ? value : null,
    };

    private int _equal;

    [Fact]
    public void GeneratedKey_AnyTwoRequests_EqualExactlyWhenTheRequestsAre()
    {
        Prop.ForAll(RequestGenerator.Pairs, HaveEqualKeysIfTheSame).Check(Config.QuickThrowOnFailure.WithMaxTest(Pairs).WithQuietOnSuccess(true));

        // The generator must make both kinds, or the property says little.
        Assert.InRange(_equal, Pairs / 10, Pairs * 9 / 10);
    }

    [Theory]
    [InlineData("a", "b, c", "a, b", "c")]
    [InlineData("a\nX-B: b", "", "a", "b")]
    [InlineData("", "a", "a", "")]
    [InlineData("\u00fc", "a", "u\u0308", "a")]
    [InlineData("a", "a", "a ", "a")]
    [InlineData("a", "a", "A", "a")]
    [InlineData("a\0", "a", "a", "\0a")]
    public async Task GeneratedKey_TextMovesBetweenTwoHeaders_Differs(string a1, string b1, string a2, string b2)
    {
        using var one = HttpTest.Get(null, ("X-A", a1), ("X-B", b1));
        using var other = HttpTest.Get(null, ("X-A", a2), ("X-B", b2));
        using var again = HttpTest.Get(null, ("x-b", b1), ("x-a", a1));
        _options.Discriminator = null;

        Assert.NotEqual(await Key(_options, one), await Key(_options, other));
        Assert.Equal(await Key(_options, one), await Key(_options, again));
        Assert.NotEqual(LiveKey(_options, one), LiveKey(_options, other));
        Assert.Equal(LiveKey(_options, one), LiveKey(_options, again));
    }

    /// <summary>The order in which headers are spelled is not known, so every order of the three names is tried.</summary>
    [Theory]
    [InlineData("x-a", "x-b", "x-c")]
    [InlineData("x-a", "x-c", "x-b")]
    [InlineData("x-b", "x-a", "x-c")]
    [InlineData("x-b", "x-c", "x-a")]
    [InlineData("x-c", "x-a", "x-b")]
    [InlineData("x-c", "x-b", "x-a")]
    public async Task GeneratedKey_ValuesSpellTheNamesOfOtherHeaders_Differs(string first, string second, string third)
    {
        using var one = HttpTest.Get(null, (first, "1"), (first, second), (first, "2"), (third, "3"));
        using var other = HttpTest.Get(null, (first, "1"), (second, "2"), (second, third), (second, "3"));
        _options.Discriminator = null;

        Assert.NotEqual(await Key(_options, one), await Key(_options, other));
        Assert.NotEqual(LiveKey(_options, one), LiveKey(_options, other));
    }

    [Fact]
    public async Task GeneratedKey_LoneSurrogates_Differ()
    {
        _options.Discriminator = null;
        var keys = new HashSet<object?>();
        foreach (var value in new[] { "\ud800", "\ud801", "\udc00", "\ufffd", "?" })
        {
            using var request = HttpTest.Get(null, ("X-A", value));
            keys.Add(await Key(_options, request));
        }

        Assert.Equal(5, keys.Count);
    }

    [Fact]
    public async Task GeneratedKey_OneValueOrTwo_Differs()
    {
        _options.Discriminator = null;
        using var one = HttpTest.Get(null, ("Accept", "a, b"));
        using var two = HttpTest.Get(null, ("Accept", "a"), ("Accept", "b"));
        using var reversed = HttpTest.Get(null, ("Accept", "b"), ("Accept", "a"));

        Assert.Equal(3, new HashSet<object?> { await Key(_options, one), await Key(_options, two), await Key(_options, reversed) }.Count);
    }

    [Fact]
    public async Task GeneratedKey_BodyOrContentTypeDiffers_Differs()
    {
        _options.Discriminator = null;
        using var json = HttpTest.Post("x");
        using var text = HttpTest.Post("x");
        using var other = HttpTest.Post("y");
        json.Content!.Headers.ContentType = new("application/json");

        Assert.Equal(3, new HashSet<object?> { await Key(_options, json), await Key(_options, text), await Key(_options, other) }.Count);
    }

    internal static async Task<object?> Key(HttpSingleFlightStrategyOptions options, HttpRequestMessage request)
    {
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        try
        {
            context.SetRequestMessage(request);
            return await options.KeyGenerator(new SingleFlightKeyGeneratorArguments(context));
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private bool HaveEqualKeysIfTheSame((RequestModel One, RequestModel Other) pair)
    {
        using var one = pair.One.ToMessage();
        using var other = pair.Other.ToMessage();
        var same = RequestModel.AreTheSame(one, other, _options.ExcludedHeaders);
        _equal += same ? 1 : 0;
        var (left, right) = (Key(_options, one).GetAwaiter().GetResult(), Key(_options, other).GetAwaiter().GetResult());
        var (liveLeft, liveRight) = (LiveKey(_options, one), LiveKey(_options, other));
        return left is not null && right is not null
            && left.Equals(right) == same
            && liveLeft.Equals(liveRight) == same
            && liveRight.Equals(liveLeft) == same
            && left.Equals(liveLeft.ToFingerprint())
            && (!same || (left.GetHashCode() == right.GetHashCode() && liveLeft.GetHashCode() == liveRight.GetHashCode()));
    }

    /// <summary>The key that a flight has, which is compared part by part.</summary>
    private static HttpFlightKey LiveKey(HttpSingleFlightStrategyOptions options, HttpRequestMessage request) =>
        new HttpRequestKeys(options).Create(
            new HttpRequestReader(options).ReadAsync(request, CancellationToken.None).AsTask().GetAwaiter().GetResult().Call!)!;
}
