using System.Threading.Tasks.Sources;

namespace Polly.SingleFlight.Tests.Flights;

/// <summary>Where a leader goes on whose callback has yielded (L2), and that its wait is not mixed up with another when it is used again (L4).</summary>
public sealed class LeaderContinuationTests : FlightTest
{
    [Fact]
    public async Task Land_CallbackEnds_LeaderContinuesInsideTheLanding()
    {
        var pipeline = Unwatched();
        var end = new TaskCompletionSource<int>(TaskCreationOptions.None);
        var continuation = ThreadAfter(Execute(pipeline, end.Task, CancellationToken.None));
        var thread = await SyncCall.Start(() =>
        {
            end.SetResult(1);
            Assert.True(continuation.IsCompleted);
            return Environment.CurrentManagedThreadId;
        });

        Assert.Equal(thread, await continuation);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancel_ByTokenOrGroup_LeaderDoesNotContinueOnThatStack(bool byToken)
    {
        var pipeline = Unwatched();
        using var source = new CancellationTokenSource();
        var end = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var continuation = ThreadAfter(Execute(pipeline, end.Task, source.Token));
        var thread = await SyncCall.Start(() =>
        {
            if (byToken)
            {
                source.Cancel();
            }
            else
            {
                Assert.True(Group.Cancel("key"));
            }

            return Environment.CurrentManagedThreadId;
        });

        Assert.NotEqual(thread, await continuation.Soon());
        end.SetResult(1);
    }

    [Fact]
    public async Task Cancel_CallbackDiesOfTheLeadersToken_LeaderDoesNotContinueOnThatStack()
    {
        var pipeline = Unwatched();
        using var source = new CancellationTokenSource();
        var captured = new TaskCompletionSource<int>(TaskCreationOptions.None);
        var continuation = ThreadAfter(Execute(pipeline, captured.Task, source.Token));

        // The last registration is called first, so the callback ends before the leader's own registration has its turn.
        using var registration = source.Token.UnsafeRegister(_ => captured.SetCanceled(source.Token), null);
        var thread = await SyncCall.Start(() =>
        {
            source.Cancel();
            return Environment.CurrentManagedThreadId;
        });

        Assert.NotEqual(thread, await continuation.Soon());
    }

    [Fact]
    public async Task Land_EachInsideTheContinuationOfAnother_StackDoesNotOverflow()
    {
        const int Length = 20_000;
        var pipeline = Unwatched();
        var ends = Enumerable.Range(0, Length + 1).Select(static _ => new TaskCompletionSource<int>(TaskCreationOptions.None)).ToArray();
        for (var i = 0; i < Length; i++)
        {
            _ = PassOn(Execute(pipeline, ends[i].Task, CancellationToken.None, i), ends[i + 1]);
        }

        ends[0].SetResult(7);

        Assert.Equal(7, await ends[Length].Task.Soon());

        static async Task PassOn(Task<int> flight, TaskCompletionSource<int> next) => next.SetResult(await flight.ConfigureAwait(false));
    }

    /// <summary>The same without a task, which looks at the stack itself, between a landing and the next.</summary>
    [Fact]
    public async Task Land_EachInsideTheContinuationOfAnotherWithoutTasks_StackDoesNotOverflow()
    {
        const int Length = 20_000;
        var pipeline = Unwatched();
        var last = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ends = Enumerable.Range(0, Length).Select(static _ => new End()).ToArray();
        for (var i = 0; i < Length; i++)
        {
            var flight = ExecuteOutcome(pipeline, i, ends[i].Task).GetAwaiter();
            var next = i + 1 < Length ? ends[i + 1] : null;
            flight.UnsafeOnCompleted(() =>
            {
                if (next is null)
                {
                    last.SetResult(flight.GetResult().Result);
                }
                else
                {
                    next.SetResult(flight.GetResult());
                }
            });
        }

        ends[0].SetResult(Outcome.FromResult(7));

        Assert.Equal(7, await last.Task.Soon());
    }

    [Fact]
    public async Task Waits_OutcomeIsNotFetchedYet_NoOtherLeaderGetsTheWait()
    {
        var pipeline = Unwatched();
        var (first, second) = (new End(), new End());
        var early = ExecuteOutcome(pipeline, 1, first.Task);
        first.SetResult(Outcome.FromResult(1));
        var late = ExecuteOutcome(pipeline, 2, second.Task);

        Assert.False(late.IsCompleted);
        Assert.Equal(1, (await early).Result);
        second.SetResult(Outcome.FromResult(2));
        Assert.Equal(2, (await late).Result);
    }

    [Fact]
    public async Task Waits_LandedCanceledAndUsedAgain_EachLeaderGetsItsOwn()
    {
        var pipeline = Unwatched();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; i < 1000; i++)
            {
                using var source = new CancellationTokenSource();
                var end = new TaskCompletionSource<int>(i % 3 == 0 ? TaskCreationOptions.RunContinuationsAsynchronously : TaskCreationOptions.None);
                var expected = (worker * 1000) + i;
                var leader = Execute(pipeline, end.Task, source.Token, expected);
                if (i % 5 == 0)
                {
                    source.Cancel();
                    var canceled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leader);
                    Assert.Equal(source.Token, canceled.CancellationToken);
                    end.SetResult(-1);
                }
                else
                {
                    end.SetResult(expected);
                    Assert.Equal(expected, await leader);
                }
            }
        }, TestContext.Current.CancellationToken))).Soon();
    }

    /// <summary>Events that are watched would be awaited, so nobody watches.</summary>
    private ResiliencePipeline Unwatched() =>
        new ResiliencePipelineBuilder().AddSingleFlight(new SingleFlightStrategyOptions { Group = Group }).Build();

    private static async Task<int> Execute(ResiliencePipeline pipeline, Task<int> end, CancellationToken token, object? key = null)
    {
        var context = ResilienceContextPool.Shared.Get(token);
        context.SetSingleFlightKey(key ?? "key");
        try
        {
            return await pipeline.ExecuteAsync(static async (_, end) => await end.ConfigureAwait(false), context, end).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>The value task of the strategy itself.</summary>
    private static ValueTask<Outcome<int>> ExecuteOutcome(ResiliencePipeline pipeline, object key, ValueTask<Outcome<int>> end)
    {
        var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);
        context.SetSingleFlightKey(key);
        return pipeline.ExecuteOutcomeAsync(static (_, end) => end, context, end);
    }

    private static async Task<int> ThreadAfter(Task<int> leader)
    {
        try
        {
            await leader.ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is OperationCanceledException or FlightCanceledException)
        {
            // Only the thread counts.
        }

        return Environment.CurrentManagedThreadId;
    }

    /// <summary>The end of a callback, whose continuation runs where it is set.</summary>
    private sealed class End : IValueTaskSource<Outcome<int>>
    {
        private ManualResetValueTaskSourceCore<Outcome<int>> _core;

        public ValueTask<Outcome<int>> Task => new(this, _core.Version);

        public void SetResult(Outcome<int> outcome) => _core.SetResult(outcome);

        Outcome<int> IValueTaskSource<Outcome<int>>.GetResult(short token) => _core.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource<Outcome<int>>.GetStatus(short token) => _core.GetStatus(token);

        void IValueTaskSource<Outcome<int>>.OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }
}
