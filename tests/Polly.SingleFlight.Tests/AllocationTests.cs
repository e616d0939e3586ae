using Polly.SingleFlight.Tests.Flights;

namespace Polly.SingleFlight.Tests;

/// <summary>
/// What each path allocates beyond an empty custom strategy, in bytes a call. A change that costs more fails here; one that
/// costs less should lower the budget.
/// </summary>
[Collection(nameof(WholeThreadPool))]
public sealed class AllocationTests : FlightTest
{
    private const int Calls = 2_000;

    private readonly ResiliencePipeline _floor =
        new ResiliencePipelineBuilder().AddStrategy(_ => new EmptyStrategy(), new EmptyOptions()).Build();

    private readonly ITestOutputHelper _output;

    public AllocationTests(ITestOutputHelper output) => _output = output;

    [Fact]
    public void Bypass_AllocatesNothing()
    {
        var pipeline = new ResiliencePipelineBuilder().AddSingleFlight().Build();

        Check("bypass", 0, BytesPerCall(pipeline, key: null) - BytesPerCall(_floor, key: null));
    }

    [Theory]
    [InlineData(true, 232)]
    [InlineData(false, 160)]
    public void Leader_SynchronousCallback_StaysInItsBudget(bool detectReentrancy, int budget)
    {
        var pipeline = new ResiliencePipelineBuilder().AddSingleFlight(new SingleFlightStrategyOptions { DetectReentrancy = detectReentrancy }).Build();
        var bytes = OnBareExecutionContext(() => BytesPerCall(pipeline, "key") - BytesPerCall(_floor, "key"));

        Check("leader", budget, bytes);
    }

    [Fact]
    public void Leader_WithATokenThatIsReused_CostsNoMore()
    {
        using var source = new CancellationTokenSource();
        var pipeline = new ResiliencePipelineBuilder().AddSingleFlight().Build();

        var bytes = OnBareExecutionContext(() => BytesPerCall(pipeline, "key", source.Token) - BytesPerCall(_floor, "key", source.Token));

        Check("leader with a token", 232, bytes);
    }

    [Fact]
    public void Leader_UnderAnActivity_PaysForALargerExecutionContextOnce()
    {
        var pipeline = new ResiliencePipelineBuilder().AddSingleFlight().Build();
        var bytes = OnBareExecutionContext(() =>
        {
            using var activity = new System.Diagnostics.Activity("caller").Start();
            return BytesPerCall(pipeline, "key") - BytesPerCall(_floor, "key");
        });

        Check("leader under an activity", 248, bytes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Follower_StaysInItsBudget(bool withToken)
    {
        var pipeline = new ResiliencePipelineBuilder().AddSingleFlight(new SingleFlightStrategyOptions { Group = Group }).Build();
        await FollowerBytes(pipeline, withToken);
        var bytes = await FollowerBytes(pipeline, withToken);

        Check(withToken ? "follower with a token" : "follower", withToken ? 552 : 408, bytes);
    }

    /// <summary>What the strategy and Polly allocate on the follower's thread until it waits.</summary>
    private static async Task<long> FollowerBytes(ResiliencePipeline pipeline, bool withToken)
    {
        var gate = new Gate();
        var sources = Enumerable.Range(0, Calls).Select(_ => new CancellationTokenSource()).ToArray();
        var contexts = sources.Select(source => ResilienceContextPool.Shared.Get(withToken ? source.Token : default)).ToArray();
        foreach (var context in contexts)
        {
            context.SetSingleFlightKey("key");
        }

        Func<ResilienceContext, Gate, ValueTask<int>> callback = static async (_, gate) =>
        {
            await gate.Opened;
            return 1;
        };
        var tasks = new ValueTask<int>[Calls];
        tasks[0] = pipeline.ExecuteAsync(callback, contexts[0], gate);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 1; i < Calls; i++)
        {
            tasks[i] = pipeline.ExecuteAsync(callback, contexts[i], gate);
        }

        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / (Calls - 1);
        gate.Open();
        foreach (var task in tasks)
        {
            Assert.Equal(1, await task);
        }

        foreach (var context in contexts)
        {
            ResilienceContextPool.Shared.Return(context);
        }

        return bytes;
    }

    private static long BytesPerCall(ResiliencePipeline pipeline, object? key, CancellationToken token = default)
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
                var task = pipeline.ExecuteOutcomeAsync(static (_, state) => new ValueTask<Outcome<int>>(Outcome.FromResult(state)), context, 1);
                Assert.Equal(1, task.Result.Result);
            }
        }
    }

    /// <summary>Runs without the test runner's own values in the execution context, whose number decides what one more costs.</summary>
    private static long OnBareExecutionContext(Func<long> measure)
    {
        var bytes = 0L;
        var thread = new Thread(() => bytes = measure());
        thread.UnsafeStart();
        thread.Join();
        return bytes;
    }

    private void Check(string path, long budget, long bytes)
    {
        _output.WriteLine($"{path}: {bytes} B, budget {budget} B");
        Assert.True(bytes <= budget, $"{path}: {bytes} B a call, budget {budget} B");
    }

    private sealed class EmptyStrategy : ResilienceStrategy
    {
        protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state) => callback(context, state);
    }

    private sealed class EmptyOptions : ResilienceStrategyOptions;
}
