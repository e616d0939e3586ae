namespace Polly.SingleFlight.Tests.Flights;

/// <summary>Whose cancellation it is, by the tokens and time-outs in the exception.</summary>
public sealed partial class ForeignCancellationTests
{
    public static TheoryData<string> Forms => [.. CancellationForms.Names];

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task CallbackHearsOfItBeforeItsLeader_LeaderGetsItsOwnCancellation(string form)
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        var (register, registered) = (new Gate(), new Gate());
        var leader = Call(pipeline, "key", async _ =>
        {
            // Registered after the leader's own wait, so called before that, and on the canceller's stack.
            await register.Opened.ConfigureAwait(false);
            var canceled = new TaskCompletionSource(TaskCreationOptions.None);
            using var registration = source.Token.Register(() => canceled.SetCanceled(source.Token));
            registered.Open();
            try
            {
                await canceled.Task.ConfigureAwait(false);
                return 0;
            }
            catch (OperationCanceledException exception)
            {
                throw CancellationForms.Make(form, exception);
            }
        }, source.Token);
        var follower = Call(pipeline, "key", _ => Task.FromResult(2));
        await Probe.Reached(Joined, 1);
        register.Open();
        await registered.Opened.Soon();

        source.Cancel();

        Assert.Equal(2, await follower);
        await IsCanceledBy(leader, source.Token);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task CallbackDiesOfTheTokenOfAFollowerThatLeft_OthersElect(string form)
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        var gate = new Gate();
        var leader = Call<int>(pipeline, "key", async _ =>
        {
            await gate.Opened;
            throw CancellationForms.Make(form, new OperationCanceledException(source.Token));
        });
        var leaver = Call(pipeline, "key", _ => Task.FromResult(1), source.Token);
        var stayers = Enumerable.Range(0, 3).Select(_ => Call(pipeline, "key", _ => Task.FromResult(2))).ToArray();
        await Probe.Reached(Joined, 4);
        await source.CancelAsync();
        await IsCanceledBy(leaver, source.Token);
        gate.Open();

        Assert.Equal(new[] { 2, 2, 2 }, await Task.WhenAll(stayers));
        Assert.NotNull(await Record(leader));
        Assert.Equal(2, Probe[Started]);
    }

    [Fact]
    public async Task CallbackDiesOfTheTokenOfAFollowerThatIsAboutToLeave_OthersElect()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        var (register, registered) = (new Gate(), new Gate());
        var leader = Call(pipeline, "key", async _ =>
        {
            await register.Opened.ConfigureAwait(false);
            var canceled = new TaskCompletionSource(TaskCreationOptions.None);
            using var registration = source.Token.Register(() => canceled.SetCanceled(source.Token));
            registered.Open();
            await canceled.Task.ConfigureAwait(false);
            return 0;
        });
        var leaver = Call(pipeline, "key", _ => Task.FromResult(1), source.Token);
        var stayer = Call(pipeline, "key", _ => Task.FromResult(2));
        await Probe.Reached(Joined, 2);
        register.Open();
        await registered.Opened.Soon();

        source.Cancel();

        await IsCanceledBy(leaver, source.Token);
        Assert.Equal(2, await stayer);
        await IsCanceledBy(leader, source.Token);
    }

    [Theory]
    [InlineData(LeaderDeparture.Detach)]
    [InlineData(LeaderDeparture.HandOver)]
    public async Task ElectedCallbackDiesOfTheTokenOfAnEarlierLeader_OthersElectAgain(LeaderDeparture departure)
    {
        var options = Watched();
        options.LeaderDeparture = departure;
        options.MaxElections = 2;
        var pipeline = Build(options);
        using var source = new CancellationTokenSource();
        async Task<int> DieOfFirstToken(ResilienceContext context)
        {
            try
            {
                await Task.Delay(System.Threading.Timeout.Infinite, source.Token);
                return 0;
            }
            catch (OperationCanceledException exception)
            {
                throw new RpcLikeException("call", exception);
            }
        }

        var first = Call(pipeline, "key", DieOfFirstToken, source.Token);
        await Probe.Reached(Started, 1);
        var second = Call(pipeline, "key", DieOfFirstToken);
        await Probe.Reached(Joined, 1);
        var others = Enumerable.Range(0, 3).Select(_ => Call(pipeline, "key", _ => Task.FromResult(2))).ToArray();
        await Probe.Reached(Joined, 4);

        await source.CancelAsync();

        await IsCanceledBy(first, source.Token);
        Assert.Equal(new[] { 2, 2, 2 }, await Task.WhenAll(others));
        Assert.IsType<RpcLikeException>(await Record(second));
        Assert.Equal(3, Probe[Started]);
        Assert.Empty(Reasons);
    }

    [Fact]
    public async Task SuccessorsOwnToken_InAnotherException_OthersElectAgain()
    {
        var options = Watched();
        options.MaxElections = 2;
        var pipeline = Build(options);
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var leavers = new List<Task<int>>();
        foreach (var source in new[] { first, second })
        {
            leavers.Add(Call(pipeline, "key", async _ =>
            {
                try
                {
                    await Task.Delay(System.Threading.Timeout.Infinite, source.Token);
                    return 0;
                }
                catch (OperationCanceledException exception)
                {
                    throw new HttpRequestException("call", exception);
                }
            }, source.Token));
            await (leavers.Count == 1 ? Probe.Reached(Started, 1) : Probe.Reached(Joined, 1));
        }

        var stayers = Enumerable.Range(0, 3).Select(_ => Call(pipeline, "key", _ => Task.FromResult(2))).ToArray();
        await Probe.Reached(Joined, 4);

        await first.CancelAsync();
        await Probe.Reached(Started, 2);
        await second.CancelAsync();

        Assert.Equal(new[] { 2, 2, 2 }, await Task.WhenAll(stayers));
        await IsCanceledBy(leavers[0], first.Token);
        await IsCanceledBy(leavers[1], second.Token);
        Assert.Equal(3, Probe[Started]);
    }
}
