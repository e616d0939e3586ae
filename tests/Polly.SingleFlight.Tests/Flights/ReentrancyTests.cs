namespace Polly.SingleFlight.Tests.Flights;

/// <summary>S11: a callback that would wait for its own flight runs alone instead.</summary>
public sealed partial class ReentrancyTests : FlightTest
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
    public async Task DetectionOff_SameKey_WaitsForItselfUntilItLeaves()
    {
        var options = Watched();
        options.DetectReentrancy = false;
        var (pipeline, plain) = (Build(), Build(options));
        using var impatience = new CancellationTokenSource();
        var outer = Call(pipeline, "key", async _ =>
        {
            await IsCanceledBy(Call(plain, "key", _ => Task.FromResult(0), impatience.Token), impatience.Token);
            return 1;
        });
        await Probe.Reached(Joined, 1);
        await impatience.CancelAsync();

        Assert.Equal(1, await outer);
        Assert.Empty(Reasons);
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
