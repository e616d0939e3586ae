using System.Diagnostics;
using Polly.SingleFlight.Tests.Flights;

namespace Polly.SingleFlight.Tests.Regressions;

/// <summary>What a hostile reading of the engine found.</summary>
[Collection(nameof(WholeThreadPool))]
public sealed class ReviewFindingsTests : FlightTest
{
    [Theory]
    [InlineData("start")]
    [InlineData("sample")]
    [InlineData("stop")]
    public async Task ActivityListener_Throws_FailsNobody(string where)
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Polly.SingleFlight",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => where == "sample" ? throw new FormatException() : ActivitySamplingResult.AllData,
            ActivityStarted = _ => ThrowIf(where == "start"),
            ActivityStopped = _ => ThrowIf(where == "stop"),
        };
        ActivitySource.AddActivityListener(listener);
        var pipeline = Build();
        var before = Activity.Current;

        Assert.Equal(1, await Call(pipeline, "key", _ => Task.FromResult(1)));
        Assert.Same(before, Activity.Current);
        var gate = new Gate();
        var leader = Call(pipeline, "key", async _ =>
        {
            await gate.Opened;
            return 2;
        });
        await Probe.Reached(Started, 2);
        var follower = Call(pipeline, "key", _ => Task.FromResult(3));
        await Probe.Reached(Joined, 1);
        gate.Open();
        Assert.Equal(new[] { 2, 2 }, await Task.WhenAll(leader, follower));

        static void ThrowIf(bool condition)
        {
            if (condition)
            {
                throw new FormatException();
            }
        }
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task ForeignCancellation_ReachesTheLeadersLinkedTokenLast_FollowersStillElect(bool synchronousCallback, bool inAnotherException)
    {
        var pipeline = new ResiliencePipelineBuilder().AddTimeout(TimeSpan.FromHours(1)).AddSingleFlight(Watched()).Build();
        for (var round = 0; round < 20; round++)
        {
            using var source = new CancellationTokenSource();
            using var inside = new ManualResetEventSlim();
            var started = Probe[Started];
            var joined = Probe[Joined];

            // The callback captured the caller's token, which the outer timeout's token, the leader's own, is linked to. A
            // source calls its latest registration first, so the callback ends before the leader's own token has fired.
            var leader = Task.Run(() => Call(pipeline, "key", async _ =>
            {
                var canceled = new TaskCompletionSource(TaskCreationOptions.None);
                using var registration = source.Token.Register(() => canceled.SetCanceled(source.Token));
                inside.Set();
                try
                {
                    if (synchronousCallback)
                    {
                        source.Token.WaitHandle.WaitOne();
                        source.Token.ThrowIfCancellationRequested();
                    }

                    await canceled.Task.ConfigureAwait(false);
                    return 0;
                }
                catch (OperationCanceledException exception) when (inAnotherException)
                {
                    throw new HttpRequestException("call", exception);
                }
            }, source.Token));
            inside.Wait();
            await Probe.Reached(Started, started + 1);
            var follower = Call(pipeline, "key", _ => Task.FromResult(2));
            await Probe.Reached(Joined, joined + 1);

            source.Cancel();

            Assert.Equal(2, await follower);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leader);
        }
    }

    [Theory]
    [InlineData(LeaderDeparture.Detach)]
    [InlineData(LeaderDeparture.HandOver)]
    public async Task Election_CandidateSharesTheLeadersToken_IsNotElected(LeaderDeparture departure)
    {
        var options = Watched();
        options.LeaderDeparture = departure;
        var pipeline = Build(options);
        using var request = new CancellationTokenSource();
        var (register, registered) = (new Gate(), new Gate());
        var runs = 0;
        var leader = Call(pipeline, "key", async _ =>
        {
            // Registered after all callers have joined, and so called before their registrations.
            await register.Opened;
            var canceled = new TaskCompletionSource<int>(TaskCreationOptions.None);
            using var registration = request.Token.Register(() => canceled.SetCanceled(request.Token));
            registered.Open();
            return await canceled.Task.ConfigureAwait(false);
        }, request.Token);
        await Probe.Reached(Started, 1);
        var dead = Call(pipeline, "key", _ => Task.FromResult(Interlocked.Increment(ref runs) * 100), request.Token);
        await Probe.Reached(Joined, 1);
        var alive = Enumerable.Range(0, 50).Select(_ => Call(pipeline, "key", _ => Task.FromResult(Interlocked.Increment(ref runs)))).ToArray();
        await Probe.Reached(Joined, 51);
        register.Open();
        await registered.Opened.Soon();

        request.Cancel();

        Assert.All(await Task.WhenAll(alive), value => Assert.Equal(1, value));
        await IsCanceledBy(leader, request.Token);
        await IsCanceledBy(dead, request.Token);
        Assert.Equal(1, runs);
    }

    [Fact]
    public void SynchronousCallback_SawTheLeadersTokenFire_LeaderGetsItsCancellation()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        using var returned = new ManualResetEventSlim();
        var context = ResilienceContextPool.Shared.Get(source.Token);
        context.SetSingleFlightKey("key");
        var canceller = new Thread(source.Cancel);

        var exception = Record.Exception(() => pipeline.Execute(_ =>
        {
            // The latest registration is called first, so the leader's own has not had its turn when the callback ends.
            source.Token.Register(returned.Wait);
            canceller.Start();
            source.Token.WaitHandle.WaitOne();
            return 1;
        }, context));
        returned.Set();
        canceller.Join();

        Assert.Equal(source.Token, Assert.IsType<OperationCanceledException>(exception).CancellationToken);
        ResilienceContextPool.Shared.Return(context);
    }

    [Fact]
    public async Task Started_CallbackExecutesTheSameKey_RunsAlone()
    {
        var options = Watched();
        ResiliencePipeline? pipeline = null;
        options.OnFlightStarted += async args =>
        {
            if (Reasons.Count == 0)
            {
                await Task.Yield();
                await Call(pipeline!, "key", _ => Task.FromResult(2));
            }
        };
        pipeline = Build(options);

        Assert.Equal(1, await Call(pipeline, "key", _ => Task.FromResult(1)));
        Assert.Equal([BypassReason.Reentrancy], Reasons);
    }

    [Fact]
    public async Task Election_FirstFollowerStillInItsJoinedCallback_AnotherLeads()
    {
        var joined = new Gate();
        var options = Watched();
        options.LeaderDeparture = LeaderDeparture.HandOver;
        options.OnFlightJoined += args => args.CallerCount == 2 ? new(joined.Opened) : default;
        var pipeline = Build(options);
        using var source = new CancellationTokenSource();
        var end = new Gate();
        var leader = Call(pipeline, "key", async _ =>
        {
            await end.Opened;
            return 0;
        }, source.Token);
        await Probe.Reached(Started, 1);
        var slow = Call(pipeline, "key", _ => Task.FromResult(1));
        await Probe.Reached(Joined, 1);
        var others = Enumerable.Range(0, 3).Select(_ => Call(pipeline, "key", _ => Task.FromResult(2))).ToArray();
        await Probe.Reached(Joined, 4);
        await source.CancelAsync();

        Assert.Equal(new[] { 2, 2, 2 }, await Task.WhenAll(others));
        joined.Open();
        Assert.Equal(2, await slow);
        await IsCanceledBy(leader, source.Token);
        end.Open();
    }

    [Fact]
    public Task Alone_ThreadPoolExhausted_StillLeavesAtOnce() => SyncCall.StartUnlimited("unused", default, null, _ =>
    {
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<int> { ShouldShare = _ => new(false) }));
        using var end = new ManualResetEventSlim();
        using var unblock = new ManualResetEventSlim();
        using var source = new CancellationTokenSource();
        var leader = SyncCall.StartUnlimited("key", default, null, context => pipeline.Execute(_ =>
        {
            end.Wait();
            return 1;
        }, context));
        Probe.WaitFor(Started, 1);
        var follower = SyncCall.StartUnlimited("key", source.Token, null, context => pipeline.Execute(_ => 2, context));
        Probe.WaitFor(Joined, 1);
        using var pool = new ExhaustedThreadPool();
        var blocked = pool.BlockEveryThread(() =>
        {
            unblock.Wait();
            return true;
        });
        end.Set();
        Assert.True(leader.Wait(TimeSpan.FromSeconds(60)));

        // Not shared, so the follower is to run alone, for which there is no thread.
        source.Cancel();
        var exception = Record.Exception(() => Assert.True(follower.Wait(TimeSpan.FromSeconds(60)), "It did not leave."));
        unblock.Set();
        Task.WaitAll(blocked);
        var canceled = Assert.IsType<OperationCanceledException>(Assert.IsType<AggregateException>(exception).InnerException);
        Assert.Equal(source.Token, canceled.CancellationToken);
        return true;
    });

    [Fact]
    public async Task PropertiesCannotBeWritten_FailsThatCallOnly()
    {
        var options = Watched();
        options.KeyGenerator = _ => new("key");
        var pipeline = Build(options);
        var gate = new Gate();
        Assert.IsType<NotSupportedException>((await Execute()).Exception);
        Assert.Equal(0, Group.ActiveFlights);
        using var source = new CancellationTokenSource();
        var leader = Call(pipeline, "unused", async _ =>
        {
            await gate.Opened;
            return 1;
        }, source.Token);
        await Probe.Reached(Started, 1);
        Assert.IsType<NotSupportedException>((await Execute()).Exception);

        // The failed follower is gone, so the leader is the last one.
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);
        Assert.Equal(0, Group.ActiveFlights);
        gate.Open();

        async Task<Outcome<int>> Execute()
        {
            var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);
            context.Properties.SetProperties(System.Collections.ObjectModel.ReadOnlyDictionary<string, object?>.Empty, out _);
            return await pipeline.ExecuteOutcomeAsync((_, _) => Outcome.FromResultAsValueTask(2), context, 0);
        }
    }

    [Fact]
    public async Task GetSingleFlightResult_NextExecutionFailsEarly_EarlierResultIsGone()
    {
        var pipeline = Build();
        var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);
        context.SetSingleFlightKey("key");
        await pipeline.ExecuteAsync(_ => new ValueTask<int>(1), context);
        Assert.NotNull(context.GetSingleFlightResult());

        await pipeline.ExecuteOutcomeAsync((_, _) => Outcome.FromResultAsValueTask<Stream>(Stream.Null), context, 0);
        Assert.Null(context.GetSingleFlightResult());
        ResilienceContextPool.Shared.Return(context);
    }
}
