namespace Polly.SingleFlight.Caching.Tests;

/// <summary>Which execution finds which result: the key, the pipeline and the type.</summary>
public sealed class LookupTests : CacheTest
{
    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Execute_SecondTime_ReturnsTheCachedResult(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
        Assert.Equal("other:2", await Fetch(pipeline, "other"));
        Assert.Equal((2, 2, 1), (Probe[Upstream], Probe[Miss], Probe[Hit]));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Execute_HitInTheMemoryOfTheProcess_CompletesSynchronouslyWithoutTheFlight(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);
        await Fetch(pipeline, "key");
        var context = ResilienceContextPool.Shared.Get();
        context.SetSingleFlightKey("key");

        var hit = pipeline.ExecuteAsync(_ => new ValueTask<string>(Answer("key")), context);

        Assert.True(hit.IsCompletedSuccessfully);
        Assert.Equal("key:1", await hit);
        Assert.Equal(1, Probe[Started]);
        ResilienceContextPool.Shared.Return(context);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task Execute_WithoutKey_BypassesTheCache(string? key)
    {
        var pipeline = Cached<string>();

        Assert.NotEqual(await Fetch(pipeline, key!), await Fetch(pipeline, key!));
        Assert.Equal((0, 0, 0), (Probe[Miss], Probe[Hit], Memory.Count));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Key_OfAnyValueWithEquality_IsComparedByValue(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);

        Assert.Equal("(tenant, 1):1", await Fetch(pipeline, ("tenant", 1)));
        Assert.Equal("(tenant, 1):1", await Fetch(pipeline, ("tenant", 1)));
        Assert.Equal("(tenant, 2):2", await Fetch(pipeline, ("tenant", 2)));
        Assert.Equal("1:3", await Fetch(pipeline, 1));
        Assert.Equal("1:4", await Fetch(pipeline, 1L));
    }

    [Theory]
    [MemberData(nameof(CachesAndEither))]
    public async Task KeyGenerator_TakesTheCacheToItsOwnKey(CacheKind kind, bool yields)
    {
        var options = Counted<string>();
        options.KeyGenerator = async args =>
        {
            if (yields)
            {
                await Task.Yield();
            }

            return args.Context.OperationKey;
        };
        var pipeline = Cached(kind, options);

        Assert.Equal("a:1", await FetchAs("operation", "a"));
        Assert.Equal("a:1", await FetchAs("operation", "b"));
        Assert.Equal("a:2", await FetchAs(null, "a"));

        async Task<string> FetchAs(string? operationKey, string key)
        {
            var context = ResilienceContextPool.Shared.Get(operationKey);
            context.SetSingleFlightKey(key);
            var result = await pipeline.ExecuteAsync(_ => new ValueTask<string>(Answer(key)), context);
            ResilienceContextPool.Shared.Return(context);
            return result;
        }
    }

    [Theory]
    [MemberData(nameof(CachesAndEither))]
    public async Task KeyGenerator_Throws_FailsThatCallerOnly(CacheKind kind, bool yields)
    {
        var options = Counted<string>();
        var fails = true;
        options.KeyGenerator = args => !fails ? new(args.Context.GetSingleFlightKey())
            : yields ? new(Task.FromException<object?>(new FormatException())) : throw new FormatException();
        var pipeline = Cached(kind, options);

        await Assert.ThrowsAsync<FormatException>(() => Fetch(pipeline, "key"));
        fails = false;
        Assert.Equal("key:1", await Fetch(pipeline, "key"));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("a", "b")]
    [InlineData("a", null)]
    public async Task Entries_OfOtherPipelines_AreApart(string? firstName, string? secondName)
    {
        var first = Builder<string>(firstName).AddCache(Memory, Counted<string>()).Build();
        var second = Builder<string>(secondName).AddCache(Memory, Counted<string>()).Build();

        Assert.Equal("key:1", await Fetch(first, "key"));
        Assert.Equal("key:2", await Fetch(second, "key"));
        Assert.Equal("key:1", await Fetch(first, "key"));
    }

    [Theory]
    [InlineData("ab", "c", "a", "bc")]
    [InlineData("a", null, "a", "1")]
    [InlineData("a1:b", "c", "a", "b1:c")]
    public async Task Entries_OfOtherInstances_AreApart(string firstName, string? firstInstance, string secondName, string secondInstance)
    {
        var first = Named(firstName, firstInstance);
        var second = Named(secondName, secondInstance);

        Assert.Equal("key:1", await Fetch(first, "key"));
        Assert.Equal("key:2", await Fetch(second, "key"));

        ResiliencePipeline<string> Named(string name, string? instance)
        {
            var builder = Builder<string>(name);
            builder.InstanceName = instance;
            return builder.AddCache(Memory, Counted<string>()).Build();
        }
    }

    [Fact]
    public async Task Entries_OfANamedPipeline_OutliveAReload()
    {
        Assert.Equal("key:1", await Fetch(Builder<string>("tokens").AddCache(Memory, Counted<string>()).Build(), "key"));
        Assert.Equal("key:1", await Fetch(Builder<string>("tokens").AddCache(Memory, Counted<string>()).Build(), "key"));
    }

    [Fact]
    public async Task Entries_OfOtherResultTypes_AreApart()
    {
        var pipeline = Cached<object>();

        Assert.Equal("text", await Execute(pipeline, "text"));
        Assert.Equal(1, await Execute(pipeline, 1));
        Assert.Equal(2.5, await Execute<object>(pipeline, 2.5));
        Assert.Equal("text", await Execute(pipeline, "another"));
        Assert.Equal(1, await Execute(pipeline, 2));
        Assert.Equal(2.5, await Execute<object>(pipeline, "x"));
        Assert.Equal(3, Memory.Count);

        static async Task<T> Execute<T>(ResiliencePipeline<object> pipeline, T result)
            where T : notnull
        {
            var context = ResilienceContextPool.Shared.Get();
            context.SetSingleFlightKey("key");
            var found = await pipeline.ExecuteAsync(_ => new ValueTask<T>(result), context);
            ResilienceContextPool.Shared.Return(context);
            return found;
        }
    }

    [Fact]
    public async Task Keys_InTheMemoryCache_ShowNothingOfTheKey()
    {
        await Fetch(Cached<string>(), "secret");

        Assert.DoesNotContain("secret", Assert.Single(Memory.Keys).ToString(), StringComparison.Ordinal);
    }
}
