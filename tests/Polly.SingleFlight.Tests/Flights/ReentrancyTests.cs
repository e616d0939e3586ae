namespace Polly.SingleFlight.Tests.Flights;

/// <summary>S11: a callback that would wait for its own flight runs alone instead.</summary>
public sealed class ReentrancyTests : FlightTest
{
    [Fact]
    public async Task SameKey_Directly_RunsAlone()
    {
        var pipeline = Build();

        var value = await Call(pipeline, "A", _ => Call(pipeline, "A", _ => Task.FromResult(1)));

        Assert.Equal(1, value);
        Assert.Equal([BypassReason.Reentrancy], Reasons);
    }

    [Fact]
    public async Task SameKey_AfterAwait_RunsAlone()
    {
        var pipeline = Build();

        var value = await Call(pipeline, "A", async _ =>
        {
            await Task.Yield();
            return await Call(pipeline, "A", _ => Task.FromResult(1));
        });

        Assert.Equal(1, value);
        Assert.Equal([BypassReason.Reentrancy], Reasons);
    }

    [Fact]
    public void SameKey_Synchronously_RunsAlone()
    {
        var pipeline = Build();

        var value = Execute("A", () => Execute("A", () => 1));

        Assert.Equal(1, value);
        Assert.Equal([BypassReason.Reentrancy], Reasons);

        int Execute(object key, Func<int> callback)
        {
            var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);
            context.SetSingleFlightKey(key);
            try
            {
                return pipeline.Execute(_ => callback(), context);
            }
            finally
            {
                ResilienceContextPool.Shared.Return(context);
            }
        }
    }

    [Fact]
    public async Task ThroughAnotherFlight_OfAnotherGroup_RunsAlone()
    {
        var pipeline = Build();
        var other = new ResiliencePipelineBuilder().AddSingleFlight().Build();

        var value = await Call(pipeline, "A", _ => Call(other, "B", _ => Call(pipeline, "A", _ => Task.FromResult(1))));

        Assert.Equal(1, value);
        Assert.Equal([BypassReason.Reentrancy], Reasons);
    }

    [Fact]
    public async Task TwoFlows_CrossEachOther_BothFinish()
    {
        var pipeline = Build();
        var (inA, inB) = (new Gate(), new Gate());
        var first = Call(pipeline, "A", async _ =>
        {
            inA.Open();
            await inB.Opened;
            return await Call(pipeline, "B", _ => Task.FromResult("B alone"));
        });
        var second = Call(pipeline, "B", async _ =>
        {
            inB.Open();
            await inA.Opened;
            return await Call(pipeline, "A", _ => Task.FromResult("A alone"));
        });

        // Whoever comes second closes the circle and runs alone; the other one gets its value.
        var values = await Task.WhenAll(first, second);
        Assert.Single(Reasons, BypassReason.Reentrancy);
        Assert.True(values is ["B alone", "B alone"] or ["A alone", "A alone"], string.Join(", ", values));
    }

    [Fact]
    public async Task ThreeFlows_InACircle_AllFinish()
    {
        var pipeline = Build();
        var gates = new[] { new Gate(), new Gate(), new Gate() };
        var flows = Enumerable.Range(0, 3).Select(i => Call(pipeline, i, async _ =>
        {
            gates[i].Open();
            await Task.WhenAll(gates.Select(gate => gate.Opened));
            return await Call(pipeline, (i + 1) % 3, _ => Task.FromResult(100 + i));
        })).ToArray();

        Assert.Single((await Task.WhenAll(flows)).Distinct());
        Assert.Single(Reasons, BypassReason.Reentrancy);
    }

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

    [Fact]
    public async Task DetectionOff_NothingIsDetectedButOuterFlightsStillAre()
    {
        var options = new SingleFlightStrategyOptions { DetectReentrancy = false };
        var plain = new ResiliencePipelineBuilder().AddSingleFlight(options).Build();
        var pipeline = Build();

        var value = await Call(pipeline, "A", _ => Call(plain, "B", _ => Call(pipeline, "A", _ => Task.FromResult(1))));

        Assert.Equal(1, value);
        Assert.Equal([BypassReason.Reentrancy], Reasons);
    }

    [Fact]
    public async Task CircleThroughAPredicate_IsSeenAlthoughItsFlightHasClosed()
    {
        var pipeline = Build();
        var (inA, inPredicate) = (new Gate(), new Gate());
        var typed = Build(Watched(new SingleFlightStrategyOptions<string>
        {
            ShouldShare = async _ =>
            {
                inPredicate.Open();
                return await Call(pipeline, "A", _ => Task.FromResult("alone")) == "alone";
            },
        }));
        var end = new Gate();
        var b = Call(typed, "B", async _ =>
        {
            await end.Opened;
            return "B";
        });
        await Probe.Reached(Started, 1);
        var a = Call(pipeline, "A", _ =>
        {
            inA.Open();
            return Call(typed, "B", _ => Task.FromResult("not run"));
        });
        await Probe.Reached(Joined, 1);
        end.Open();

        Assert.Equal(["B", "B"], await Task.WhenAll(a, b));
    }
}
