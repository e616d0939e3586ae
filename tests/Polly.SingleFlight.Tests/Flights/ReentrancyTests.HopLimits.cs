using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights;

/// <summary>Behind a hop: what is no circle and joins as usual, and what is not recognised.</summary>
public sealed partial class ReentrancyTests
{
    [Theory]
    [InlineData(Carrier.Token)]
    [InlineData(Carrier.Context)]
    [InlineData(Carrier.CopiedProperties)]
    public async Task OtherKey_BehindAHop_IsJoinedAsUsual(Carrier carrier)
    {
        var pipeline = Build();
        var end = new Gate();
        var leader = Call(pipeline, "B", async _ =>
        {
            await end.Opened;
            return 2;
        });
        await Probe.Reached(Started, 1);
        var nested = Call(pipeline, "A", a => Nest(pipeline, Hop.UnsafeQueue, carrier, a, "B", _ => Task.FromResult(1)));
        await Probe.Reached(Joined, 1);
        end.Open();

        Assert.Equal(new[] { 2, 2 }, await Task.WhenAll(leader, nested));
        Assert.Empty(Reasons);
    }

    [Theory]
    [InlineData(Carrier.Token)]
    [InlineData(Carrier.CopiedProperties)]
    public async Task WhatAnEndedFlightLeftBehind_JoinsAsUsual(Carrier carrier)
    {
        var pipeline = Build();
        var (go, hold) = (new Gate(), new Gate());
        ResilienceContext kept = null!;
        await Call(pipeline, "A", flight =>
        {
            kept = Keep(flight);
            return Task.FromResult(0);
        });
        var leader = Call(pipeline, "A", async _ =>
        {
            await hold.Opened;
            return 1;
        });
        await Probe.Reached(Started, 2);
        var late = Nest(pipeline, Hop.UnsafeQueue, Carrier.Context, kept, "A", _ => Task.FromResult(2));
        await Probe.Reached(Joined, 1);
        hold.Open();

        Assert.Equal(new[] { 1, 1 }, await Task.WhenAll(leader, late));
        Assert.Empty(Reasons);
        ResilienceContextPool.Shared.Return(kept);

        ResilienceContext Keep(ResilienceContext flight)
        {
            var context = ResilienceContextPool.Shared.Get(carrier == Carrier.Token ? flight.CancellationToken : CancellationToken.None);
            if (carrier == Carrier.CopiedProperties)
            {
                Hops.CopyProperties(flight, context);
            }

            return context;
        }
    }

    [Fact]
    public async Task LinkedTokenBehindAHop_IsNotRecognisedAndMaxJoinAgeEndsTheCircle()
    {
        var options = Watched();
        options.MaxJoinAge = TimeSpan.FromSeconds(1);
        var pipeline = Build(options);

        var value = await Call(pipeline, "A", async flight =>
        {
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(flight.CancellationToken);
            Clock.Advance(TimeSpan.FromSeconds(2));
            return await Hop.UnsafeQueue.Run(() => Call(pipeline, "A", _ => Task.FromResult(1), linked.Token), _consumer.Writer);
        });

        Assert.Equal(1, value);
        Assert.Equal(2, Probe[Started]);
        Assert.Empty(Reasons);
    }

    [Theory]
    [InlineData(Carrier.Context)]
    [InlineData(Carrier.CopiedProperties)]
    public async Task ThroughAFlightWithoutDetection_BehindAHop_OuterFlightIsStillSeen(Carrier carrier)
    {
        var pipeline = Build();
        var plain = new ResiliencePipelineBuilder().AddSingleFlight(new SingleFlightStrategyOptions { DetectReentrancy = false }).Build();

        var value = await Call(pipeline, "A", a =>
            Nest(plain, Hop.UnsafeQueue, carrier, a, "B", b =>
                Nest(pipeline, Hop.UnsafeQueue, carrier, b, "A", _ => Task.FromResult(1))));

        Assert.Equal(1, value);
        Assert.Equal([BypassReason.Reentrancy], Reasons);
    }

    [Fact]
    public async Task PropertiesOfTheFlight_StayInTheFlight()
    {
        var pipeline = Build();
        Flight? inside = null, after = null;

        await Call(
            pipeline,
            "A",
            flight =>
            {
                flight.Properties.TryGetValue(ContextProperties.Flight, out inside);
                Assert.Same(inside, FlightToken.FindFlight(flight.CancellationToken));
                return Task.FromResult(0);
            },
            after: caller => caller.Properties.TryGetValue(ContextProperties.Flight, out after));

        Assert.NotNull(inside);
        Assert.Null(after);
    }

    [Fact]
    public void FindFlight_TokensOfOthers_AreNone()
    {
        using var source = new CancellationTokenSource();

        Assert.Null(FlightToken.FindFlight(source.Token));
        Assert.Null(FlightToken.FindFlight(CancellationToken.None));
        Assert.Null(FlightToken.FindFlight(new CancellationToken(true)));
    }
}
