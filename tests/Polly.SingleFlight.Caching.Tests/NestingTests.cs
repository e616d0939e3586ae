namespace Polly.SingleFlight.Caching.Tests;

/// <summary>Pipelines inside the callback that go on with the same context: their flights are not the flight of the cache.</summary>
public sealed class NestingTests : CacheTest
{
    private ResiliencePipeline<string> Inner { get; } = new ResiliencePipelineBuilder<string>().AddSingleFlight().Build();

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task InnerFlight_OfAnotherPipeline_StoresNothingInTheOuterCache(bool withFlight, bool withKeyOfItsOwn)
    {
        var pipeline = Cached<string>(withFlight: withFlight);

        var result = await Call(pipeline, "outer", async context =>
        {
            var key = context.GetSingleFlightKey();
            if (withKeyOfItsOwn)
            {
                context.SetSingleFlightKey("inner");
            }

            var inner = await Inner.ExecuteAsync(static (_, self) => new ValueTask<string>(self.Answer("inner")), context, this);
            context.SetSingleFlightKey(key);
            return $"{inner} in outer";
        });

        Assert.Equal("inner:1 in outer", result);
        Assert.Equal("inner:1 in outer", await Fetch(pipeline, "outer"));
        Assert.Equal(1, Memory.Count);
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task InnerFlight_OfAnotherType_StoresNothingInTheOuterCache(CacheKind kind)
    {
        var inner = new ResiliencePipelineBuilder().AddSingleFlight().Build();
        var pipeline = Cached<string>(kind, withFlight: false);

        var result = await Call(pipeline, "key", async context =>
            (await inner.ExecuteAsync(static (_, _) => new ValueTask<int>(42), context, 0)).ToString((IFormatProvider?)null));

        Assert.Equal("42", result);
        Assert.Equal("42", await Fetch(pipeline, "key"));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task SamePipeline_OtherKeyInTheCallback_EachUnderItsOwn(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);

        var outer = await Call(pipeline, "outer", async context =>
        {
            context.SetSingleFlightKey("inner");
            var inner = await pipeline.ExecuteAsync(static (_, self) => new ValueTask<string>(self.Answer("inner")), context, this);
            return $"{inner}+";
        });

        Assert.Equal("inner:1+", outer);
        Assert.Equal("inner:1+", await Fetch(pipeline, "outer"));
        Assert.Equal("inner:1", await Fetch(pipeline, "inner"));
        Assert.Equal(1, Probe[Upstream]);
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task SamePipeline_SameKeyInTheCallback_RunsAloneAndTheOuterResultStays(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);

        var outer = await Call(pipeline, "key", async context =>
            await pipeline.ExecuteAsync(static (_, self) => new ValueTask<string>(self.Answer("inner")), context, this) + "+");

        Assert.Equal("inner:1+", outer);
        Assert.Equal("inner:1+", await Fetch(pipeline, "key"));
        Assert.Contains(BypassReason.Reentrancy, Reasons);
    }

    /// <summary>The inner execution has no cache key but a flight key, and the flight is one of the same pipeline.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SamePipeline_InnerExecutionBypassesTheCache_StoresNothingUnderTheOuterKey(bool yields)
    {
        ResiliencePropertyKey<string?> cacheKey = new("cache key");
        var options = Counted<string>();
        options.KeyGenerator = async args =>
        {
            if (yields)
            {
                await Task.Yield();
            }

            return args.Context.Properties.GetValue(cacheKey, null);
        };
        var pipeline = Builder<string>().AddCache(Memory, options)
            .AddStrategy(_ => new Nested(this, cacheKey), new Hold.Options())
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()))
            .Build();
        var context = ResilienceContextPool.Shared.Get();
        context.Properties.Set(cacheKey, "outer");
        context.SetSingleFlightKey("outer flight");
        Nested.Pipeline.Value = pipeline;

        Assert.Equal("outer:2", await pipeline.ExecuteAsync(static (_, self) => new ValueTask<string>(self.Answer("outer")), context, this));

        context.Properties.Set(cacheKey, "outer");
        Assert.Equal("outer:2", await pipeline.ExecuteAsync(static (_, self) => new ValueTask<string>(self.Answer("outer")), context, this));
        ResilienceContextPool.Shared.Return(context);
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public async Task Context_AfterAnExecution_HasNothingOfTheCache(CacheKind kind)
    {
        var pipeline = Cached<string>(kind);
        var context = ResilienceContextPool.Shared.Get();
        context.SetSingleFlightKey("key");
        await pipeline.ExecuteAsync(static (_, self) => new ValueTask<string>(self.Answer("key")), context, this);

        // Another pipeline of the same builder would take what was left for its own.
        Assert.Null(context.Properties.GetValue(new ResiliencePropertyKey<object?>("Polly.SF.Inside"), null));
        Assert.Equal(SingleFlightRole.Leader, context.GetSingleFlightResult()!.Role);
        ResilienceContextPool.Shared.Return(context);
    }

    /// <summary>Between cache and flight, executes the same pipeline once more, without a key for the cache.</summary>
    private sealed class Nested(NestingTests test, ResiliencePropertyKey<string?> cacheKey) : ResilienceStrategy
    {
        public static readonly AsyncLocal<ResiliencePipeline<string>?> Pipeline = new();

        protected override async ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
        {
            if (Pipeline.Value is { } pipeline)
            {
                Pipeline.Value = null;
                context.Properties.Set(cacheKey, null);
                Assert.Equal("inner:1", await pipeline.ExecuteAsync(static (_, self) => new ValueTask<string>(self.Answer("inner")), context, test));
                context.Properties.Set(cacheKey, "outer");
            }

            return await callback(context, state);
        }
    }
}
