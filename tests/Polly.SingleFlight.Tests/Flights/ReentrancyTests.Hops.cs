using System.Threading.Channels;
using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights;

/// <summary>The execution context did not flow, but the flight's context or token came through.</summary>
public sealed partial class ReentrancyTests
{
    private readonly Channel<Func<Task>> _consumer = Hops.StartConsumer();

    public static TheoryData<Hop, Carrier, Shape> Ways
    {
        get
        {
            var data = new TheoryData<Hop, Carrier, Shape>();
            foreach (var hop in new[] { Hop.UnsafeQueue, Hop.SuppressedFlow, Hop.Consumer })
            {
                foreach (var carrier in Enum.GetValues<Carrier>())
                {
                    foreach (var shape in Enum.GetValues<Shape>())
                    {
                        data.Add(hop, carrier, shape);
                    }
                }
            }

            return data;
        }
    }

    /// <summary>Where the execution context is lost on the way from A to B and back to A, and what comes through there.</summary>
    public static TheoryData<Hop, Hop, Carrier> Detours
    {
        get
        {
            var data = new TheoryData<Hop, Hop, Carrier>();
            foreach (var carrier in Enum.GetValues<Carrier>())
            {
                data.Add(Hop.UnsafeQueue, Hop.None, carrier);
                data.Add(Hop.None, Hop.UnsafeQueue, carrier);
                data.Add(Hop.UnsafeQueue, Hop.Consumer, carrier);
                data.Add(Hop.Consumer, Hop.SuppressedFlow, carrier);
            }

            return data;
        }
    }

    public override ValueTask DisposeAsync()
    {
        _consumer.Writer.Complete();
        return base.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task SameKey_BehindAHop_RunsAlone(Hop hop, Carrier carrier, Shape shape)
    {
        var pipeline = Build();

        var value = await Call(pipeline, "A", flight => Nest(pipeline, hop, carrier, flight, "A", _ => Task.FromResult(1), shape));

        Assert.Equal(1, value);
        Assert.Equal([BypassReason.Reentrancy], Reasons);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task SameKey_BehindAHop_OfATypedPipelineAndAVoidOne_RunsAlone(Hop hop, Carrier carrier, Shape shape)
    {
        var options = new SingleFlightStrategyOptions<int>();
        var typed = Build(Watched(options));
        var pipeline = Build();

        // Group, key and result type are equal, so both pipelines find the same flight.
        var value = await Call(typed, "A", flight => Nest(pipeline, hop, carrier, flight, "A", _ => Task.FromResult(1), shape));
        Assert.Equal(1, value);

        var ran = false;
        var context = ResilienceContextPool.Shared.Get();
        context.SetSingleFlightKey("void");
        await pipeline.ExecuteAsync(
            async flight =>
            {
                await hop.Run(async () =>
                {
                    var nested = ResilienceContextPool.Shared.Get(flight.CancellationToken);
                    nested.SetSingleFlightKey("void");
                    await pipeline.ExecuteAsync(
                        _ =>
                        {
                            ran = true;
                            return default(ValueTask);
                        },
                        nested);
                    ResilienceContextPool.Shared.Return(nested);
                    return 0;
                }, _consumer.Writer);
            },
            context).AsTask().Soon();
        ResilienceContextPool.Shared.Return(context);

        Assert.True(ran);
        Assert.Equal([BypassReason.Reentrancy, BypassReason.Reentrancy], Reasons);
    }

    [Theory]
    [MemberData(nameof(Detours))]
    public async Task ThroughAnotherFlight_BehindHops_RunsAlone(Hop there, Hop back, Carrier carrier)
    {
        var pipeline = Build();

        var value = await Call(pipeline, "A", a =>
            Nest(pipeline, there, carrier, a, "B", b =>
                Nest(pipeline, back, carrier, b, "A", _ => Task.FromResult(1))));

        Assert.Equal(1, value);
        Assert.Equal([BypassReason.Reentrancy], Reasons);
    }

    [Theory]
    [MemberData(nameof(Detours))]
    public async Task ThroughAFlightThatIsJoined_BehindHops_RunsAlone(Hop there, Hop back, Carrier carrier)
    {
        var pipeline = Build();
        var joined = new Gate();
        var second = Call(pipeline, "B", async b =>
        {
            await joined.Opened;
            return await Nest(pipeline, back, carrier, b, "A", _ => Task.FromResult(1));
        });
        await Probe.Reached(Started, 1);
        var first = Call(pipeline, "A", a => Nest(pipeline, there, carrier, a, "B", _ => Task.FromResult(2)));
        await Probe.Reached(Joined, 1);
        joined.Open();

        Assert.Equal(new[] { 1, 1 }, await Task.WhenAll(first, second));
        Assert.Equal([BypassReason.Reentrancy], Reasons);
    }

    [Theory]
    [MemberData(nameof(Detours))]
    public async Task TwoFlows_CrossEachOtherBehindHops_BothFinish(Hop first, Hop second, Carrier carrier)
    {
        var pipeline = Build();
        var (inA, inB) = (new Gate(), new Gate());
        var a = Call(pipeline, "A", async flight =>
        {
            inA.Open();
            await inB.Opened;
            return await Nest(pipeline, first, carrier, flight, "B", _ => Task.FromResult(2));
        });
        var b = Call(pipeline, "B", async flight =>
        {
            inB.Open();
            await inA.Opened;
            return await Nest(pipeline, second, carrier, flight, "A", _ => Task.FromResult(1));
        });

        var values = await Task.WhenAll(a, b);
        Assert.Single(values.Distinct());
        Assert.Single(Reasons, BypassReason.Reentrancy);
    }

    [Theory]
    [InlineData(Carrier.Context)]
    [InlineData(Carrier.CopiedProperties)]
    public async Task SameKey_BehindAHopAndATimeoutInside_RunsAlone(Carrier carrier)
    {
        // The timeout gives the callback a token of its own. The context is still the flight's.
        var pipeline = new ResiliencePipelineBuilder { TimeProvider = Clock }
            .AddSingleFlight(Watched()).AddTimeout(TimeSpan.FromSeconds(10)).Build();

        var value = await Call(pipeline, "A", flight => Nest(pipeline, Hop.UnsafeQueue, carrier, flight, "A", _ => Task.FromResult(1)));

        Assert.Equal(1, value);
        Assert.Equal([BypassReason.Reentrancy], Reasons);
    }

    [Theory]
    [InlineData(Carrier.Token)]
    [InlineData(Carrier.Context)]
    [InlineData(Carrier.CopiedProperties)]
    public async Task SameKey_BehindAnActorOfAnotherFlight_RunsAlone(Carrier carrier)
    {
        var pipeline = Build();
        var end = new Gate();
        Channel<Func<Task>>? consumer = null;
        var other = Call(pipeline, "other", async _ =>
        {
            // What the actor does is done inside this flight, by its execution context.
            consumer = Hops.StartConsumer();
            await end.Opened;
            return 0;
        });
        await Probe.Reached(Started, 1);

        var value = await Call(pipeline, "A", async a =>
            await Hop.Consumer.Run(() => Shape.Async.Execute(pipeline, carrier, a, "A", _ => Task.FromResult(1)), consumer!.Writer)
            + await Hop.Consumer.Run(() => Shape.Async.Execute(pipeline, Carrier.Token, a, "other", _ => Task.FromResult(2)), consumer.Writer));

        Assert.Equal(3, value);
        Assert.Equal([BypassReason.Reentrancy, BypassReason.Reentrancy], Reasons);
        end.Open();
        consumer!.Writer.Complete();
        await other;
    }

    [Fact]
    public async Task ElectedBehindAHop_OuterFlightWaitsForTheSuccessorToo()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        var leader = Call<int>(pipeline, "B", async _ =>
        {
            await Task.Delay(System.Threading.Timeout.Infinite, source.Token);
            return 0;
        }, source.Token);
        await Probe.Reached(Started, 1);
        var value = Call(pipeline, "A", a =>
            Nest(pipeline, Hop.UnsafeQueue, Carrier.Token, a, "B", _ => Call(pipeline, "A", _ => Task.FromResult(1))));
        await Probe.Reached(Joined, 1);

        await source.CancelAsync();

        await IsCanceledBy(leader, source.Token);
        Assert.Equal(1, await value);
        Assert.Equal([BypassReason.Reentrancy], Reasons);
    }

    private Task<int> Nest(
        ResiliencePipeline pipeline,
        Hop hop,
        Carrier carrier,
        ResilienceContext flight,
        object key,
        Func<ResilienceContext, Task<int>> callback,
        Shape shape = Shape.Async) =>
        hop == Hop.None
            ? Call(pipeline, key, callback)
            : hop.Run(() => shape.Execute(pipeline, carrier, flight, key, callback), _consumer.Writer).Soon();
}
