namespace Polly.SingleFlight.Caching.Tests;

/// <summary>
/// What a call allocates beyond an empty custom strategy, in bytes. A change that costs more fails here; one that costs less
/// should lower the budget.
/// </summary>
[Collection(nameof(Alone))]
public sealed class AllocationTests(ITestOutputHelper output) : CacheTest
{
    private const int Calls = 2_000;

    private readonly ResiliencePipeline<string> _floor =
        new ResiliencePipelineBuilder<string>().AddStrategy(_ => new EmptyStrategy(), new Hold.Options()).Build();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Hit_InMicrosoftsMemoryCache_AllocatesNothing(bool withToken)
    {
        using var source = new CancellationTokenSource();
        using var memory = new MemoryCache(new MemoryCacheOptions());
        var pipeline = new ResiliencePipelineBuilder<string>().AddCache(memory, new CacheStrategyOptions<string>()).AddSingleFlight().Build();

        Check("hit", 0, BytesPerCall(pipeline, "key", withToken ? source.Token : default) - BytesPerCall(_floor, "key"));
        Check("hit by a number", 0, BytesPerCall(pipeline, 42, default) - BytesPerCall(_floor, 42));
    }

    [Fact]
    public void Hit_OfAValueType_AllocatesNothing()
    {
        using var memory = new MemoryCache(new MemoryCacheOptions());
        var pipeline = new ResiliencePipelineBuilder<long>().AddCache(memory, new CacheStrategyOptions<long>()).Build();
        var floor = new ResiliencePipelineBuilder<long>().AddStrategy(_ => new EmptyStrategy(), new Hold.Options()).Build();

        Check("hit of a number", 0, BytesPerCall(pipeline, "key", default) - BytesPerCall(floor, "key"));
    }

    [Fact]
    public void Hit_InAnotherMemoryCache_AllocatesTheKey()
    {
        var pipeline = new ResiliencePipelineBuilder<string>().AddCache(Memory, new CacheStrategyOptions<string>()).Build();

        Check("hit in another cache", 40, BytesPerCall(pipeline, "key", default) - BytesPerCall(_floor, "key"));
    }

    [Fact]
    public void Bypass_AllocatesNothing()
    {
        var pipeline = new ResiliencePipelineBuilder<string>().AddCache(Memory, new CacheStrategyOptions<string>()).Build();

        Check("bypass", 0, BytesPerCall(pipeline, null, default) - BytesPerCall(_floor, null));
    }

    private static long BytesPerCall<T>(ResiliencePipeline<T> pipeline, object? key, CancellationToken token = default)
    {
        var context = ResilienceContextPool.Shared.Get(token);
        context.SetSingleFlightKey(key);
        Run(Calls);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(Calls);
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / Calls;
        ResilienceContextPool.Shared.Return(context);
        return bytes;

        void Run(int calls)
        {
            for (var i = 0; i < calls; i++)
            {
                var task = pipeline.ExecuteOutcomeAsync(
                    static (_, state) => new ValueTask<Outcome<T>>(Outcome.FromResult((T)state)), context, typeof(T) == typeof(long) ? 1L : (object)"result");
                Assert.True(task.IsCompletedSuccessfully);
                Assert.Null(task.Result.Exception);
            }
        }
    }

    private void Check(string path, long budget, long bytes)
    {
        output.WriteLine($"{path}: {bytes} B, budget {budget} B");
        Assert.True(bytes <= budget, $"{path}: {bytes} B a call, budget {budget} B");
    }

    private sealed class EmptyStrategy : ResilienceStrategy
    {
        protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state) => callback(context, state);
    }
}
