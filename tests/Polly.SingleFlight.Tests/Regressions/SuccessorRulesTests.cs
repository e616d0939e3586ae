using Microsoft.Extensions.Time.Testing;

namespace Polly.SingleFlight.Tests.Regressions;

/// <summary>A successor has the rules of the pipeline that its leader came through.</summary>
public sealed class SuccessorRulesTests : FlightTest
{
    private readonly Gate _gate = new();

    [Fact]
    public async Task Successor_ItsLeaderLeaves_IsHandedOverIfItsPipelineSaysSo()
    {
        var detaching = Build();
        var handingOver = Build(Options(LeaderDeparture.HandOver, maxElections: 3));
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var leader = Call(detaching, "key", async _ => await Fail(first.Token), first.Token);
        await Probe.Reached(Started, 1);
        var elected = Call(handingOver, "key", _ => Hold("elected"), second.Token);
        await Probe.Reached(Joined, 1);
        var last = Call(handingOver, "key", _ => Task.FromResult("last"));
        await Probe.Reached(Joined, 2);

        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leader);
        _gate.Open();
        await Probe.Reached(Started, 2);
        await second.CancelAsync();

        Assert.Equal("last", await last);
        await IsCanceledBy(elected, second.Token);

        // The callback dies of its leader's token once the gate is open, so the followers elect another.
        async Task<string> Fail(CancellationToken token)
        {
            await _gate.Opened;
            throw new OperationCanceledException(token);
        }

        async Task<string> Hold(string result)
        {
            await new Gate().Opened.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
            return result;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Successor_OnAnotherClock_ItsLeadersWaitIsOfThatClock(bool isManualFirst)
    {
        var manual = new FakeTimeProvider();
        var end = new Gate();
        var (one, other) = isManualFirst ? (manual, TimeProvider.System) : (TimeProvider.System, (TimeProvider)manual);
        using var source = new CancellationTokenSource();
        var leader = Call(On(one), "key", async _ =>
        {
            await _gate.Opened;
            return 1;
        }, source.Token);
        await Probe.Reached(Started, 1);
        SingleFlightResult? result = null;
        var elected = Call(On(other), "key", async _ =>
        {
            await end.Opened;
            return 2;
        }, after: context => result = context.GetSingleFlightResult());
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await Probe.Reached(Started, 2);
        if (!isManualFirst)
        {
            manual.Advance(TimeSpan.FromSeconds(3));
        }

        end.Open();
        Assert.Equal(2, await elected);
        await IsCanceledBy(leader, source.Token);
        _gate.Open();
        Assert.Equal(SingleFlightRole.Leader, result!.Role);
        Assert.InRange(result.WaitTime, isManualFirst ? TimeSpan.Zero : TimeSpan.FromSeconds(3), isManualFirst ? TimeSpan.FromSeconds(60) : TimeSpan.FromSeconds(3));
    }

    private ResiliencePipeline On(TimeProvider clock) =>
        new ResiliencePipelineBuilder { TimeProvider = clock }.AddSingleFlight(Options(LeaderDeparture.HandOver, maxElections: 1)).Build();

    private SingleFlightStrategyOptions Options(LeaderDeparture departure, int maxElections)
    {
        var options = Watched();
        (options.LeaderDeparture, options.MaxElections) = (departure, maxElections);
        return options;
    }
}
