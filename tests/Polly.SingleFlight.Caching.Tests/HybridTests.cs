using System.Text;

namespace Polly.SingleFlight.Caching.Tests;

/// <summary>What only matters where entries are serialized and shared between processes.</summary>
public sealed class HybridTests : CacheTest
{
    public static TheoryData<CacheKind> Hybrids => new(CacheKind.HybridL1, CacheKind.HybridL2, CacheKind.Fusion, CacheKind.FusionL2);

    [Theory]
    [InlineData(CacheKind.HybridL1)]
    [InlineData(CacheKind.HybridL2)]
    public async Task Execute_SecondTime_ReturnsACopyOfTheResult(CacheKind kind)
    {
        var pipeline = Cached<List<string>>(kind);

        var first = await Call(pipeline, "key", _ => Task.FromResult<List<string>>(["a", "b"]));
        var second = await Call(pipeline, "key", _ => Task.FromResult<List<string>>([]));

        Assert.Equal(first, second);
        Assert.NotSame(first, second);
    }

    /// <summary>One that is spelled alike in every process.</summary>
    [Theory]
    [MemberData(nameof(Hybrids))]
    public async Task Key_OfWellKnownValues_IsWelcome(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);

        Assert.Equal("42:1", await Fetch(pipeline, 42));
        Assert.Equal("42:1", await Fetch(pipeline, 42));
        Assert.Equal("42:2", await Fetch(pipeline, "42"));
        Assert.Equal("42:3", await Fetch(pipeline, 42L));
        Assert.Equal("(tenant, 42):4", await Fetch(pipeline, ("tenant", 42)));
        Assert.Equal("(tenant, 42):4", await Fetch(pipeline, ("tenant", 42)));
        Assert.Equal("(tenant, 42):5", await Fetch(pipeline, ("tenant", "42")));
    }

    [Theory]
    [MemberData(nameof(Hybrids))]
    public async Task Key_OfAnotherType_IsRefusedAndSaysWhatToDo(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Fetch(pipeline, new Version(4, 2)));

        Assert.Contains("System.Version", refused.Message, StringComparison.Ordinal);
        Assert.Contains("KeyGenerator", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("4.2", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Hybrids))]
    public async Task Key_OfAnotherType_IsWelcomeWithAGenerator(CacheKind kind)
    {
        var options = Counted<string>();
        options.KeyGenerator = args => new(args.Context.GetSingleFlightKey()?.ToString());
        var pipeline = Cached(kind, options);

        Assert.Equal("4.2:1", await Fetch(pipeline, new Version(4, 2)));
        Assert.Equal("4.2:1", await Fetch(pipeline, new Version(4, 2)));
    }

    [Theory]
    [MemberData(nameof(DistributedCaches))]
    public async Task Execute_WithoutKey_BypassesTheCache(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);

        Assert.NotEqual(await Fetch(pipeline, null!), await Fetch(pipeline, null!));
        Assert.Empty(Distributed.Keys);
    }

    [Theory]
    [MemberData(nameof(DistributedCaches))]
    public async Task Entries_OfOtherPipelinesAndTypes_AreApart(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);
        var other = Builder<string>("other").AddCache(Hybrid(kind), Counted<string>()).Build();
        var numbers = Cached<int>(kind);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal("key:2", await Fetch(other, "key"));
        Assert.Equal(7, await Call(numbers, "key", _ => Task.FromResult(7)));
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(3, Distributed.Keys.Count);
    }

    [Theory]
    [InlineData("a", "b|System.String|x", "a|System.String|b", "x")]
    [InlineData("1:a", "x", "a", "1:x")]
    public async Task Entries_OfNamesAndKeysThatSpellTheSame_AreApart(string firstName, string firstKey, string secondName, string secondKey)
    {
        var first = Builder<string>(firstName).AddCache(Hybrid(CacheKind.HybridL2), Counted<string>()).Build();
        var second = Builder<string>(secondName).AddCache(Hybrid(CacheKind.HybridL2), Counted<string>()).Build();

        await Fetch(first, firstKey);
        await Fetch(second, secondKey);

        Assert.Equal((2, 2), (Probe[Upstream], Distributed.Keys.Count));
    }

    [Theory]
    [MemberData(nameof(DistributedCaches))]
    public async Task Entry_IsKeptForItsLifetimeAndTheStaleTime(CacheKind kind)
    {
        var pipeline = Cached(kind, Counted<string>(staleOnError: 5 * s_second));
        await Fetch(pipeline, "key");

        Assert.Contains("key:1", Encoding.UTF8.GetString(Assert.Single(Distributed.Contents)), StringComparison.Ordinal);
        Clock.Advance(12 * s_second);
        Assert.Equal("key:1", await Fail(pipeline, "key"));
        Clock.Advance(3 * s_second);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Fail(pipeline, "key"));
    }

    /// <summary>Processes with the same number are common where each runs in a container of its own.</summary>
    [Fact]
    public void Entries_OfUnnamedPipelinesInOtherProcesses_AreApart()
    {
        Assert.NotEqual(FirstScopeOfAnotherProcess(), FirstScopeOfAnotherProcess());

        static string FirstScopeOfAnotherProcess()
        {
            var process = new System.Runtime.Loader.AssemblyLoadContext(null, isCollectible: true);
            var assembly = process.LoadFromAssemblyPath(typeof(CacheStrategyOptions<>).Assembly.Location);
            var extensions = assembly.GetType(typeof(CacheResiliencePipelineBuilderExtensions).FullName!, throwOnError: true)!;
            var options = assembly.GetType(typeof(CacheStrategyOptions<>).FullName!, throwOnError: true)!.MakeGenericType(typeof(string));
            var scopeOf = extensions.GetMethod("ScopeOf", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
                .MakeGenericMethod(typeof(string));
            var scope = (string)scopeOf.Invoke(null, [new ResiliencePipelineBuilder<string>(), Activator.CreateInstance(options)])!;
            process.Unload();
            return scope;
        }
    }
}
