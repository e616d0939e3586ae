namespace Polly.SingleFlight.Tests.Flights;

/// <summary>Where flights nest, or have nested, and nobody would wait for itself.</summary>
public sealed partial class ReentrancyTests
{
    [Fact]
    public async Task WaitIsOver_NoCircleIsSeen()
    {
        var pipeline = Build();
        var (hold, inB) = (new Gate(), new Gate());
        var second = Call(pipeline, "B", async _ =>
        {
            inB.Open();
            await hold.Opened;

            // The flow of A waited for this flight once, and does not any more.
            return await Call(pipeline, "A", _ => Task.FromResult("not run"));
        });
        await inB.Opened.Soon();
        using var impatience = new CancellationTokenSource();
        var end = new Gate();
        var first = Call(pipeline, "A", async _ =>
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Call(pipeline, "B", _ => Task.FromResult("not run"), impatience.Token));
            hold.Open();
            await end.Opened;
            return "A";
        });
        await Probe.Reached(Joined, 1);
        await impatience.CancelAsync();
        await Probe.Reached(Joined, 2);
        end.Open();

        Assert.Equal(["A", "A"], await Task.WhenAll(first, second));
        Assert.Empty(Reasons);
    }

    [Fact]
    public async Task WaitOfALeaderIsOver_NoCircleIsSeen()
    {
        var pipeline = Build();
        var (inB, hold, end) = (new Gate(), new Gate(), new Gate());
        using var impatience = new CancellationTokenSource();
        var first = Call(pipeline, "A", async _ =>
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Call(pipeline, "B", async _ =>
            {
                inB.Open();
                await hold.Opened;

                // The flow of A led this flight, and does not wait for it any more.
                return await Call(pipeline, "A", _ => Task.FromResult("not run"));
            }, impatience.Token));
            hold.Open();
            await end.Opened;
            return "A";
        });
        await inB.Opened.Soon();
        var second = Call(pipeline, "B", _ => Task.FromResult("not run"));
        await Probe.Reached(Joined, 1);
        await impatience.CancelAsync();
        await Probe.Reached(Joined, 2);
        end.Open();

        Assert.Equal(["A", "A"], await Task.WhenAll(first, second));
        Assert.Empty(Reasons);
    }

    [Fact]
    public async Task ForeignFlow_InsideNoFlight_JoinsAsUsual()
    {
        var pipeline = Build();
        var (inside, end) = (new Gate(), new Gate());
        var nested = Call(pipeline, "A", _ => Call(pipeline, "B", async _ =>
        {
            inside.Open();
            await end.Opened;
            return 1;
        }));
        await inside.Opened.Soon();
        var a = Call(pipeline, "A", _ => Task.FromResult(2));
        var b = Call(pipeline, "B", _ => Task.FromResult(3));
        await Probe.Reached(Joined, 2);
        end.Open();

        Assert.Equal(new[] { 1, 1, 1 }, await Task.WhenAll(nested, a, b));
        Assert.Empty(Reasons);
    }

    [Fact]
    public async Task BackgroundWorkOfAnEndedFlight_IsStillInsideTheOuterOne()
    {
        var pipeline = Build();
        var go = new Gate();
        Task<int>? background = null;

        var outer = await Call(pipeline, "A", async _ =>
        {
            await Call(pipeline, "B", _ =>
            {
                background = Later();
                return Task.FromResult(0);
            });
            go.Open();
            return await background!;
        });

        Assert.Equal(1, outer);
        Assert.Equal([BypassReason.Reentrancy], Reasons);

        async Task<int> Later()
        {
            await go.Opened;
            return await Call(pipeline, "A", _ => Task.FromResult(1));
        }
    }

    [Fact]
    public async Task BackgroundWorkOfAnEndedFlight_JoinsAsUsual()
    {
        var pipeline = Build();
        var (go, hold) = (new Gate(), new Gate());
        Task<int>? background = null;
        await Call(pipeline, "A", _ =>
        {
            background = Later();
            return Task.FromResult(0);
        });
        var leader = Call(pipeline, "A", async _ =>
        {
            await hold.Opened;
            return 1;
        });
        await Probe.Reached(Started, 2);
        go.Open();
        await Probe.Reached(Joined, 1);
        hold.Open();

        Assert.Equal(new[] { 1, 1 }, await Task.WhenAll(leader, background!));
        Assert.Empty(Reasons);

        async Task<int> Later()
        {
            await go.Opened;
            return await Call(pipeline, "A", _ => Task.FromResult(2));
        }
    }

    [Fact]
    public async Task FlightsThatStartTheirSuccessors_DoNotKeepTheirPredecessorsInMemory()
    {
        var pipeline = Build();
        var (goOn, last, end) = (new Gate(), new Gate(), new Gate());
        var rounds = 0;

        // Away from the test runner's synchronization context: an idle thread of it holds on to the last thing it ran, and
        // so to that thing's execution context.
        var first = await Task.Run(StartFirst, TestContext.Current.CancellationToken);
        await Probe.Reached("returned", 49);

        // What remains of them in execution contexts must hold neither callers nor keys.
        goOn.Open();
        await last.Opened.Soon();

        // The threads that served the predecessors may not have unwound their stacks yet.
        for (var i = 0; i < 1000 && first.IsAlive; i++)
        {
            GC.Collect();
            await Task.Yield();
        }

        Assert.False(first.IsAlive);
        end.Open();
        await Probe.Reached("returned", 50);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        WeakReference StartFirst()
        {
            var key = new object();
            _ = Start(key);
            return new WeakReference(key);
        }

        async Task Start(object key)
        {
            await Call(pipeline, key, async _ =>
            {
                await Task.Yield();
                GC.KeepAlive(key);
                return await Round();
            });
            Probe.Hit("returned");
        }

        async Task<int> Round()
        {
            if (++rounds == 50)
            {
                await goOn.Opened;
                await Call(pipeline, new object(), async _ =>
                {
                    last.Open();
                    await end.Opened;
                    return 0;
                });
            }
            else
            {
                _ = Start(new object());
            }

            return 0;
        }
    }
}
