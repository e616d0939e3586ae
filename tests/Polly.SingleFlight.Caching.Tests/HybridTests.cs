using System.Text;

namespace Polly.SingleFlight.Caching.Tests;

/// <summary>What only matters where entries are serialized and shared between processes.</summary>
public sealed class HybridTests : CacheTest
{
    [Fact]
    public async Task Execute_SecondTime_ReturnsACopyOfTheResult()
    {
        var pipeline = CachedHybrid<List<string>>();

        var first = await Call(pipeline, "key", _ => Task.FromResult<List<string>>(["a", "b"]));
        var second = await Call(pipeline, "key", _ => Task.FromResult<List<string>>([]));

        Assert.Equal(first, second);
        Assert.NotSame(first, second);
    }

    [Fact]
    public async Task Key_NotAString_IsRefusedAndSaysWhatToDo()
    {
        var pipeline = CachedHybrid<string>();

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Fetch(pipeline, 42));

        Assert.Contains("Int32", refused.Message, StringComparison.Ordinal);
        Assert.Contains("KeyGenerator", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("42", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, Probe[Upstream]);
    }

    [Fact]
    public async Task Key_NotAString_IsWelcomeWithAGenerator()
    {
        var options = Counted<string>();
        options.KeyGenerator = args => new(args.Context.GetSingleFlightKey()?.ToString());
        var pipeline = CachedHybrid(options);

        Assert.Equal("42:1", await Fetch(pipeline, 42));
        Assert.Equal("42:1", await Fetch(pipeline, 42));
    }

    [Fact]
    public async Task Execute_WithoutKey_BypassesTheCache()
    {
        var pipeline = CachedHybrid<string>();

        Assert.NotEqual(await Fetch(pipeline, null!), await Fetch(pipeline, null!));
        Assert.Empty(Hybrid.Keys);
    }

    [Fact]
    public async Task Entries_OfOtherPipelinesAndTypes_AreApart()
    {
        var pipeline = CachedHybrid<string>();
        var other = Builder<string>("other").AddCache(Hybrid, Counted<string>()).Build();
        var numbers = CachedHybrid<int>();

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal("key:2", await Fetch(other, "key"));
        Assert.Equal(7, await Call(numbers, "key", _ => Task.FromResult(7)));
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal(3, Hybrid.Keys.Count);
    }

    [Theory]
    [InlineData("a", "b|System.String|x", "a|System.String|b", "x")]
    [InlineData("1:a", "x", "a", "1:x")]
    public async Task Entries_OfNamesAndKeysThatSpellTheSame_AreApart(string firstName, string firstKey, string secondName, string secondKey)
    {
        var first = Builder<string>(firstName).AddCache(Hybrid, Counted<string>()).Build();
        var second = Builder<string>(secondName).AddCache(Hybrid, Counted<string>()).Build();

        await Fetch(first, firstKey);
        await Fetch(second, secondKey);

        Assert.Equal((2, 2), (Probe[Upstream], Hybrid.Keys.Count));
    }

    [Fact]
    public async Task Entry_IsKeptForItsLifetimeAndTheStaleTime()
    {
        var pipeline = CachedHybrid(Counted<string>(staleOnError: 5 * s_second));
        await Fetch(pipeline, "key");

        Assert.Contains("key:1", Encoding.UTF8.GetString(Assert.Single(Hybrid.Contents)), StringComparison.Ordinal);
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
            var extensions = process.LoadFromAssemblyPath(typeof(CacheStrategyOptions<>).Assembly.Location)
                .GetType(typeof(CacheResiliencePipelineBuilderExtensions).FullName!, throwOnError: true)!;
            var scopeOf = extensions.GetMethod("ScopeOf", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!;
            var scope = (string)scopeOf.Invoke(null, [new ResiliencePipelineBuilder<string>(), new CacheStrategyOptions<string>()])!;
            process.Unload();
            return scope;
        }
    }
}
