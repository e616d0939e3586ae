namespace Polly.SingleFlight.Tests.Flights;

/// <summary>S8: nobody gets somebody else's cancellation.</summary>
public sealed partial class ForeignCancellationTests : FlightTest
{
    [Fact]
    public async Task Execute_CallbacksOwnCancellation_IsAnOrdinaryOutcome()
    {
        var gate = new Gate();
        var pipeline = Build();
        using var inner = new CancellationTokenSource();
        await inner.CancelAsync();
        var runs = 0;
        var callers = Enumerable.Range(0, 3).Select(_ => Call(pipeline, "key", async _ =>
        {
            Interlocked.Increment(ref runs);
            await gate.Opened;
            inner.Token.ThrowIfCancellationRequested();
            return 1;
        })).ToArray();
        await Probe.Reached(Joined, 2);
        gate.Open();

        foreach (var caller in callers)
        {
            await IsCanceledBy(caller, inner.Token);
        }

        Assert.Equal(1, runs);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Execute_EveryLeaderIsCancelledByItsOwnToken_BoundedElectionsThenAlone(int maxElections)
    {
        var options = Watched();
        options.MaxElections = maxElections;
        var pipeline = Build(options);
        var sources = Enumerable.Range(0, maxElections + 1).Select(_ => new CancellationTokenSource()).ToArray();
        var leavers = new List<Task<int>>();
        foreach (var source in sources)
        {
            leavers.Add(Call(pipeline, "key", async _ =>
            {
                await Task.Delay(System.Threading.Timeout.Infinite, source.Token);
                return -1;
            }, source.Token));
            await (leavers.Count == 1 ? Probe.Reached(Started, 1) : Probe.Reached(Joined, leavers.Count - 1));
        }

        var stayers = Enumerable.Range(0, 3).Select(i => Call(pipeline, "key", _ => Task.FromResult(i))).ToArray();
        await Probe.Reached(Joined, maxElections + 3);
        foreach (var (i, source) in sources.Select((item, index) => (Index: index, Item: item)))
        {
            await Probe.Reached(Started, i + 1);
            await source.CancelAsync();
            await IsCanceledBy(leavers[i], source.Token);
        }

        Assert.Equal(new[] { 0, 1, 2 }, await Task.WhenAll(stayers));
        Assert.Equal(Enumerable.Repeat(BypassReason.Election, 3), Reasons);
        Assert.Equal(maxElections + 1, Probe[Started]);
    }

    [Fact]
    public async Task Execute_SynchronousCallbackThrowsLeadersCancellation_FollowersElect()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        using var inside = new ManualResetEventSlim();
        var leader = SyncCall.Start("key", source.Token, null, context => pipeline.Execute(_ =>
        {
            inside.Set();
            source.Token.WaitHandle.WaitOne();
            source.Token.ThrowIfCancellationRequested();
            return 1;
        }, context));
        inside.Wait();
        var followers = Enumerable.Range(0, 3).Select(_ => Call(pipeline, "key", _ => Task.FromResult(2))).ToArray();
        await Probe.Reached(Joined, 3);
        await source.CancelAsync();

        await IsCanceledBy(leader, source.Token);
        Assert.Equal(new[] { 2, 2, 2 }, await Task.WhenAll(followers));
        Assert.Equal(2, Probe[Started]);
    }

    [Fact]
    public async Task Execute_SynchronousCallbackLinkedToLeadersToken_LeaderGetsItsOwnToken()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();

        await IsCanceledBy(
            Call<int>(pipeline, "key", _ =>
            {
                using var linked = CancellationTokenSource.CreateLinkedTokenSource(source.Token);
                source.Cancel();
                linked.Token.ThrowIfCancellationRequested();
                throw new InvalidOperationException();
            }, source.Token),
            source.Token);
    }

    [Fact]
    public async Task Elected_LeavesWhileItsCallbackRuns_GetsItsOwnCancellationAndTheRestIsServed()
    {
        var pipeline = Build();
        using var leaders = new CancellationTokenSource();
        using var elected = new CancellationTokenSource();
        var leader = Call(pipeline, "key", async _ =>
        {
            await Task.Delay(System.Threading.Timeout.Infinite, leaders.Token);
            return 0;
        }, leaders.Token);
        await Probe.Reached(Started, 1);
        var gate = new Gate();
        var first = Call(pipeline, "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, elected.Token);
        await Probe.Reached(Joined, 1);
        var second = Call(pipeline, "key", _ => Task.FromResult(2));
        await Probe.Reached(Joined, 2);

        await leaders.CancelAsync();
        await Probe.Reached(Started, 2);
        await elected.CancelAsync();
        await IsCanceledBy(first, elected.Token);
        gate.Open();

        await IsCanceledBy(leader, leaders.Token);
        Assert.Equal(1, await second);
    }

    [Fact]
    public async Task Elected_ItsTokenFiresBeforeItsCallbackBegins_CallbackDoesNotBeginAndAnotherLeads()
    {
        var pipeline = Build();
        using var leaders = new CancellationTokenSource();
        using var elected = new CancellationTokenSource();
        var leader = Call(pipeline, "key", async _ =>
        {
            await Task.Delay(System.Threading.Timeout.Infinite, leaders.Token);
            return 0;
        }, leaders.Token);
        await Probe.Reached(Started, 1);
        var busy = new BusyContext();
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, elected.Token);
        context.SetSingleFlightKey("key");
        var began = false;
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(busy);
        var first = pipeline.ExecuteAsync(_ =>
        {
            began = true;
            return new ValueTask<int>(1);
        }, context).AsTask();
        SynchronizationContext.SetSynchronizationContext(before);
        await Probe.Reached(Joined, 1);
        var second = Call(pipeline, "key", _ => Task.FromResult(2));
        await Probe.Reached(Joined, 2);

        await leaders.CancelAsync();
        var run = await busy.FirstPosted.Task.Soon();
        await elected.CancelAsync();
        run();

        await IsCanceledBy(first.Soon(), elected.Token);
        Assert.Equal(2, await second);
        Assert.False(began);
        await IsCanceledBy(leader, leaders.Token);
    }

    [Fact]
    public async Task Elected_LastOneLeft_FlightIsAbandoned()
    {
        var pipeline = Build();
        using var leaders = new CancellationTokenSource();
        using var elected = new CancellationTokenSource();
        var leader = Call(pipeline, "key", async _ =>
        {
            await Task.Delay(System.Threading.Timeout.Infinite, leaders.Token);
            return 0;
        }, leaders.Token);
        await Probe.Reached(Started, 1);
        var canceled = new Gate();
        var follower = Call(pipeline, "key", async context =>
        {
            using var registration = context.CancellationToken.Register(canceled.Open);
            await canceled.Opened;
            return 1;
        }, elected.Token);
        await Probe.Reached(Joined, 1);
        await leaders.CancelAsync();
        await Probe.Reached(Started, 2);
        await elected.CancelAsync();

        await IsCanceledBy(follower, elected.Token);
        await canceled.Opened.Soon();
        await IsCanceledBy(leader, leaders.Token);
        Assert.Equal(1, Probe[Abandoned]);
    }

    /// <summary>Leaves the first thing that is posted to the test, as the thread of a window that is busy would be late with it.</summary>
    private sealed class BusyContext : SynchronizationContext
    {
        public TaskCompletionSource<Action> FirstPosted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void Post(SendOrPostCallback d, object? state)
        {
            if (!FirstPosted.TrySetResult(() => d(state)))
            {
                ThreadPool.QueueUserWorkItem(_ => d(state));
            }
        }
    }
}
