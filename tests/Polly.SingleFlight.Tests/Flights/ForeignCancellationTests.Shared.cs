using Polly.Timeout;

namespace Polly.SingleFlight.Tests.Flights;

/// <summary>Cancellations and time-outs of the callback's own, which are shared, and the case that cannot be told.</summary>
public sealed partial class ForeignCancellationTests
{
    [Theory]
    [MemberData(nameof(Forms))]
    public async Task NobodyHasLeft_CancellationOfTheCallbacksOwnToken_IsShared(string form)
    {
        var pipeline = Build();
        using var leaders = new CancellationTokenSource();
        using var followers = new CancellationTokenSource();
        using var own = new CancellationTokenSource();
        await own.CancelAsync();
        var gate = new Gate();
        var failure = CancellationForms.Make(form, new OperationCanceledException(own.Token));
        async Task<int> Fail(ResilienceContext context)
        {
            await gate.Opened;
            throw failure;
        }

        var callers = new[] { Call(pipeline, "key", Fail, leaders.Token), Call(pipeline, "key", Fail, followers.Token), Call(pipeline, "key", Fail) };
        await Probe.Reached(Joined, 2);
        gate.Open();

        Assert.All(await Task.WhenAll(callers.Select(Record)), exception => Assert.Same(failure, exception));
        Assert.Equal(1, Probe[Started]);
    }

    [Fact]
    public async Task FollowerHasLeft_CancellationOfTheCallbacksOwnToken_IsShared()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        using var own = new CancellationTokenSource();
        await own.CancelAsync();
        var gate = new Gate();
        async Task<int> Fail(ResilienceContext context)
        {
            await gate.Opened;
            throw new OperationCanceledException(own.Token);
        }

        var stayers = new[] { Call(pipeline, "key", Fail), Call(pipeline, "key", Fail) };
        var leaver = Call(pipeline, "key", Fail, source.Token);
        await Probe.Reached(Joined, 2);
        await source.CancelAsync();
        await IsCanceledBy(leaver, source.Token);
        gate.Open();

        foreach (var stayer in stayers)
        {
            await IsCanceledBy(stayer, own.Token);
        }

        Assert.Equal(1, Probe[Started]);
    }

    [Fact]
    public async Task LeaderHasLeft_CancellationOfATokenOfUnknownOrigin_FollowersElect()
    {
        // A source that the callback linked to its leader's token by hand, as Polly's own timeout does, cannot be told from one it did not.
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        using var own = new CancellationTokenSource();
        await own.CancelAsync();
        var gate = new Gate();
        var leader = Call<int>(pipeline, "key", async _ =>
        {
            await gate.Opened;
            throw new OperationCanceledException(own.Token);
        }, source.Token);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", _ => Task.FromResult(2));
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);
        gate.Open();

        Assert.Equal(2, await follower);
    }

    [Fact]
    public async Task LeaderHasLeft_TimeoutStrategyInside_IsShared()
    {
        var pipeline = new ResiliencePipelineBuilder { TimeProvider = Clock }
            .AddSingleFlight(Watched()).AddTimeout(TimeSpan.FromSeconds(3)).Build();
        using var source = new CancellationTokenSource();
        async Task<int> Run(ResilienceContext context)
        {
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
            await Task.Delay(System.Threading.Timeout.Infinite, linked.Token);
            return 0;
        }

        var leader = Call(pipeline, "key", Run, source.Token);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", Run);
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);
        Clock.Advance(TimeSpan.FromSeconds(3));

        await Assert.ThrowsAsync<TimeoutRejectedException>(() => follower);
        Assert.Equal(1, Probe[Started]);
    }

    [Fact]
    public async Task LeaderHasLeft_TimeoutOfAnHttpClientInside_IsShared()
    {
        var pipeline = Build();
        using var client = new HttpClient(new SilentHandler()) { Timeout = TimeSpan.FromMilliseconds(1) };
        using var source = new CancellationTokenSource();
        var gate = new Gate();
        async Task<string> Run(ResilienceContext context)
        {
            await gate.Opened;
            return await client.GetStringAsync(new Uri("http://localhost/"), context.CancellationToken);
        }

        var leader = Call(pipeline, "key", Run, source.Token);
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", Run);
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);
        gate.Open();

        Assert.IsType<TimeoutException>((await Assert.ThrowsAsync<TaskCanceledException>(() => follower)).InnerException);
        Assert.Equal(1, Probe[Started]);
    }

    [Fact]
    public async Task TimeOut_WhileTheLeaderIsThere_IsSharedAtOnce()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        using var own = new CancellationTokenSource();
        await own.CancelAsync();
        var timeOut = new TaskCanceledException("Timeout of 1 s", new TimeoutException("too late"), own.Token);
        Task<int>? follower = null;
        ValueTask<Outcome<int>> leader = default;
        await Task.Run(() =>
        {
            var context = ResilienceContextPool.Shared.Get(source.Token);
            context.SetSingleFlightKey("key");
            leader = pipeline.ExecuteOutcomeAsync<int, int>((_, _) =>
            {
                using (ExecutionContext.SuppressFlow())
                {
                    follower = Task.Run(() => Call(pipeline, "key", _ => Task.FromResult(2)));
                }

                Probe.WaitFor(Joined, 1);
                return Outcome.FromExceptionAsValueTask<int>(timeOut);
            }, context, 0);

            // The callback completed synchronously, and there is nothing that the landing has to wait for.
            Assert.True(leader.IsCompleted);
        });

        Assert.Same(timeOut, (await leader).Exception);
        Assert.Same(timeOut, await Record(follower!));
    }

    private static async Task<Exception?> Record(Task task) => await Xunit.Record.ExceptionAsync(() => task);

    private sealed class SilentHandler : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(System.Threading.Timeout.Infinite, cancellationToken);
            throw new InvalidOperationException();
        }
    }
}
