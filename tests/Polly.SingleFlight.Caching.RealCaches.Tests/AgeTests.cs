namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>Two caches in one pipeline: no result gets a new lifetime by passing through the other, and what is stale is never fresh again.</summary>
public class AgeTests(RedisServer redis) : RealCacheTest(redis)
{
    public static TheoryData<CacheKind, CacheKind> Pairs()
    {
        var data = new TheoryData<CacheKind, CacheKind>();
        foreach (var kind in Enum.GetValues<CacheKind>())
        {
            data.Add(CacheKind.Memory, kind);
            if (kind != CacheKind.Memory)
            {
                data.Add(kind, CacheKind.Memory);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task OuterIsFilledFromTheInner_LifetimeIsNotRestarted(CacheKind outer, CacheKind inner)
    {
        var pipeline = Both(outer, inner);
        await Read(pipeline, "k", "old");
        await Outer.EvictAsync("k");
        Clock.Advance(8 * s_minute);
        var again = await Ask(pipeline, "k", "unused");
        Assert.Equal("old", again.Value);
        Assert.Equal(1, Probe[Upstream]);

        Clock.Advance(3 * s_minute);

        Assert.Equal("new", await Read(pipeline, "k", "new"));
    }

    /// <summary>The outer one has the longer lifetime, and must not keep a result longer than the one that has it from its maker.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task OuterLivesLonger_EndsWithTheInner(CacheKind outer, CacheKind inner)
    {
        var pipeline = Both(outer, inner, outerLifetime: 60 * s_minute);
        await Read(pipeline, "k", "old");
        await Outer.EvictAsync("k");
        Clock.Advance(9 * s_minute);
        Assert.Equal("old", await Read(pipeline, "k", "unused"));

        Clock.Advance(2 * s_minute);

        Assert.Equal("new", await Read(pipeline, "k", "new"));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task StaleAnswerOfTheInner_IsNotFreshInTheOuter(CacheKind outer, CacheKind inner)
    {
        var pipeline = Both(outer, inner, staleOnError: 60 * s_minute);
        await Read(pipeline, "k", "old");
        Clock.Advance(11 * s_minute);
        Assert.Equal("old", await Fail(pipeline, "k"));

        var next = await Ask(pipeline, "k", "new");

        Assert.Equal("new", next.Value);
        Assert.False(next.Cache!.IsStale);
    }

    /// <summary>The same where single flight stands between the two.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task FlightBetween_LifetimeIsNotRestarted(CacheKind outer, CacheKind inner)
    {
        var flight = Watched(new SingleFlightStrategyOptions<string>());
        var builder = NewNode(outer).Add(Builder<string>(), Options("outer", 10 * s_minute, default, Outer)).AddSingleFlight(flight);
        var pipeline = NewNode(inner).Add(builder, Options("inner", 10 * s_minute, default, Inner)).Build();
        await Read(pipeline, "k", "old");
        await Outer.EvictAsync("k");
        Clock.Advance(8 * s_minute);
        Assert.Equal("old", await Read(pipeline, "k", "unused"));

        Clock.Advance(3 * s_minute);

        Assert.Equal("new", await Read(pipeline, "k", "new"));
    }

    /// <summary>The age that callbacks and the caller are told is that of the result.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task TimesOfTheOuter_AreThoseOfTheResult(CacheKind outer, CacheKind inner)
    {
        var pipeline = Both(outer, inner);
        var start = Clock.GetUtcNow();
        await Read(pipeline, "k", "old");
        await Outer.EvictAsync("k");
        Clock.Advance(8 * s_minute);
        await Read(pipeline, "k", "unused");

        var hit = (await Ask(pipeline, "k", "unused")).Cache!;

        Assert.Equal((start, start, start + (10 * s_minute)), (hit.StartedAt, hit.StoredAt, hit.ExpiresAt));
    }

    private CacheManualControl Outer { get; } = new();

    private CacheManualControl Inner { get; } = new();

    private ResiliencePipeline<string> Both(CacheKind outer, CacheKind inner, TimeSpan? outerLifetime = null, TimeSpan staleOnError = default)
    {
        var builder = NewNode(outer).Add(Builder<string>(), Options("outer", outerLifetime ?? 10 * s_minute, default, Outer));
        return NewNode(inner).Add(builder, Options("inner", 10 * s_minute, staleOnError, Inner))
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>())).Build();
    }

    private CacheStrategyOptions<string> Options(string name, TimeSpan lifetime, TimeSpan staleOnError, CacheManualControl control) => new()
    {
        Name = name,
        Scope = name + Prefix,
        Lifetime = lifetime,
        StaleOnError = staleOnError,
        ManualControl = control,
    };
}
