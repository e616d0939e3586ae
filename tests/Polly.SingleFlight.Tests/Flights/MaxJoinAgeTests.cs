using Microsoft.Extensions.Time.Testing;

namespace Polly.SingleFlight.Tests.Flights;

/// <summary>S9: nobody joins a flight that is too old for them.</summary>
public sealed class MaxJoinAgeTests : FlightTest
{
    private readonly Gate _old = new();
    private readonly Gate _new = new();

    [Fact]
    public async Task Join_AtTheLimit_JoinsAndBeyondItSupersedes()
    {
        var pipeline = Build(TimeSpan.FromSeconds(10));
        var first = Call(pipeline, "key", _ => Hold(_old, "old"));
        await Probe.Reached(Started, 1);
        Clock.Advance(TimeSpan.FromSeconds(10));
        var second = Call(pipeline, "key", _ => Hold(_old, "not run"));
        await Probe.Reached(Joined, 1);
        Clock.Advance(TimeSpan.FromTicks(1));
        var third = Call(pipeline, "key", _ => Hold(_new, "new"));
        await Probe.Reached(Started, 2);
        var flight = Assert.Single(Group.GetFlights());
        Assert.Equal(TimeSpan.Zero, flight.Age);

        // The old flight ends last and must not take its successor's place along (I1).
        _new.Open();
        Assert.Equal("new", await third);
        _old.Open();
        Assert.Equal(["old", "old"], await Task.WhenAll(first, second));
    }

    [Fact]
    public async Task Join_OldFlightEndsFirst_SuccessorStaysJoinable()
    {
        var pipeline = Build(TimeSpan.FromSeconds(1));
        var first = Call(pipeline, "key", _ => Hold(_old, "old"));
        await Probe.Reached(Started, 1);
        Clock.Advance(TimeSpan.FromSeconds(2));
        var second = Call(pipeline, "key", _ => Hold(_new, "new"));
        await Probe.Reached(Started, 2);
        _old.Open();
        Assert.Equal("old", await first);

        var third = Call(pipeline, "key", _ => Hold(_new, "not run"));
        await Probe.Reached(Joined, 1);
        _new.Open();
        Assert.Equal(["new", "new"], await Task.WhenAll(second, third));
    }

    [Fact]
    public async Task Join_TheJoinersLimitDecides()
    {
        var patient = Build();
        var strict = Build(TimeSpan.FromSeconds(1));
        var first = Call(patient, "key", _ => Hold(_old, "old"));
        await Probe.Reached(Started, 1);
        Clock.Advance(TimeSpan.FromSeconds(5));
        var second = Call(patient, "key", _ => Hold(_old, "not run"));
        await Probe.Reached(Joined, 1);
        var third = Call(strict, "key", _ => Hold(_new, "new"));
        await Probe.Reached(Started, 2);
        _old.Open();
        _new.Open();

        Assert.Equal(["old", "old", "new"], await Task.WhenAll(first, second, third));
    }

    [Fact]
    public async Task Join_FlightOnAnotherClock_IsTooOldForALimit()
    {
        var pipeline = Build();
        var options = Watched();
        options.MaxJoinAge = TimeSpan.FromDays(1);
        var elsewhere = new ResiliencePipelineBuilder { TimeProvider = new FakeTimeProvider() }.AddSingleFlight(options).Build();
        var first = Call(pipeline, "key", _ => Hold(_old, "old"));
        await Probe.Reached(Started, 1);
        var second = Call(elsewhere, "key", _ => Hold(_new, "new"));
        await Probe.Reached(Started, 2);
        _old.Open();
        _new.Open();

        Assert.Equal(["old", "new"], await Task.WhenAll(first, second));
    }

    [Fact]
    public async Task Join_LargestLimit_DoesNotOverflow()
    {
        var pipeline = Build(TimeSpan.MaxValue);
        var first = Call(pipeline, "key", _ => Hold(_old, "old"));
        await Probe.Reached(Started, 1);
        Clock.Advance(TimeSpan.FromDays(100_000));
        var second = Call(pipeline, "key", _ => Hold(_old, "not run"));
        await Probe.Reached(Joined, 1);
        _old.Open();

        Assert.Equal(["old", "old"], await Task.WhenAll(first, second));
    }

    private ResiliencePipeline Build(TimeSpan maxJoinAge)
    {
        var options = Watched();
        options.MaxJoinAge = maxJoinAge;
        return Build(options);
    }

    private static async Task<string> Hold(Gate gate, string value)
    {
        await gate.Opened;
        return value;
    }
}
