namespace Polly.SingleFlight.Tests.Flights;

/// <summary>
/// S12 for leaders: one that blocks its thread while a strategy inside has yielded wakes without a thread of the pool. These tests take the whole thread
/// pool, so they run by themselves.
/// </summary>
[Collection(nameof(WholeThreadPool))]
public sealed class BlockedLeaderTests : FlightTest
{
    private readonly YieldingStrategy _inner = new();

    [Theory]
    [InlineData(LeaderDeparture.Detach)]
    [InlineData(LeaderDeparture.HandOver)]
    public Task Cancel_ThreadPoolExhausted_BlockedLeaderLeavesAtOnce(LeaderDeparture departure) => OnThread(() =>
    {
        using var source = new CancellationTokenSource();
        WhileExhausted(new SingleFlightStrategyOptions { Group = Group, LeaderDeparture = departure }, source.Token, leader =>
        {
            source.Cancel();

            var exception = Assert.Throws<AggregateException>(() => WaitFor(leader));
            Assert.Equal(source.Token, Assert.IsType<OperationCanceledException>(exception.InnerException).CancellationToken);
        });
        return true;
    });

    [Fact]
    public Task CancelByGroup_ThreadPoolExhausted_BlockedLeaderWakes() => OnThread(() =>
    {
        WhileExhausted(new SingleFlightStrategyOptions { Group = Group }, CancellationToken.None, leader =>
        {
            Assert.True(Group.Cancel("key"));

            var exception = Assert.Throws<AggregateException>(() => WaitFor(leader));
            Assert.IsType<FlightCanceledException>(exception.InnerException);
        });
        return true;
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Land_ThreadPoolExhausted_BlockedLeaderWakes(bool withToken) => OnThread(() =>
    {
        using var source = new CancellationTokenSource();
        WhileExhausted(new SingleFlightStrategyOptions { Group = Group }, withToken ? source.Token : CancellationToken.None, leader =>
        {
            _inner.Open.SetResult();

            Assert.Equal(1, WaitFor(leader));
        });
        return true;
    });

    /// <summary>Runs something while the pool has no thread and a leader blocks its own one.</summary>
    private void WhileExhausted(SingleFlightStrategyOptions options, CancellationToken token, Action<Task<int>> run)
    {
        var pipeline = new ResiliencePipelineBuilder().AddSingleFlight(options).AddStrategy(_ => _inner, new YieldingOptions()).Build();
        using var pool = new ExhaustedThreadPool();
        using var end = new ManualResetEventSlim();
        using var busy = new CountdownEvent(Environment.ProcessorCount);
        var blocked = pool.BlockEveryThread(() =>
        {
            busy.Signal();
            end.Wait();
            return true;
        });
        Assert.True(busy.Wait(TimeSpan.FromSeconds(60)));
        try
        {
            var leader = SyncCall.StartUnlimited("key", token, null, context => pipeline.Execute(static _ => 1, context));
            Assert.True(_inner.Thread.Task.Wait(TimeSpan.FromSeconds(60)));
            var thread = _inner.Thread.Task.Result;
            Assert.True(SpinWait.SpinUntil(() => thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin), TimeSpan.FromSeconds(60)));
            run(leader);
        }
        finally
        {
            end.Set();
        }

        _inner.Open.TrySetResult();
        Assert.All(blocked, one => Assert.True(WaitFor(one)));
    }

    private static Task<bool> OnThread(Func<bool> run) => SyncCall.StartUnlimited("unused", default, null, _ => run());

    /// <summary>Blocks this thread, which is not one of the pool's, as the pool has none left.</summary>
    private static T WaitFor<T>(Task<T> task)
    {
        Assert.True(task.Wait(TimeSpan.FromSeconds(20)), "Nobody woke.");
        return task.Result;
    }

    private sealed class YieldingOptions : ResilienceStrategyOptions;

    /// <summary>Waits inside the flight, as a retry does between its attempts. What it waits for continues it on the thread that ends the wait.</summary>
    private sealed class YieldingStrategy : ResilienceStrategy
    {
        public TaskCompletionSource Open { get; } = new(TaskCreationOptions.None);

        public TaskCompletionSource<Thread> Thread { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
        {
            Thread.TrySetResult(System.Threading.Thread.CurrentThread);
            await Open.Task.ConfigureAwait(false);
            return await callback(context, state).ConfigureAwait(false);
        }
    }
}
