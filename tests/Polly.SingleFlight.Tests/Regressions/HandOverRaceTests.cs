using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Regressions;

/// <summary>
/// The leader's token fires while its <c>OnFlightStarted</c> is awaited, and its callback is about to begin while the flight is still
/// being handed over: the successor must get the key, and newcomers must find it there.
/// </summary>
public sealed class HandOverRaceTests : FlightTest
{
    /// <summary>So many that handing them over takes longer than it takes the leader to notice.</summary>
    private const int Followers = 20_000;

    [Fact]
    public async Task HandOver_WhileTheCallbackIsAboutToBegin_SuccessorHasTheKey()
    {
        Flight? closing = null;
        var isFirst = true;
        var options = Watched();
        options.LeaderDeparture = LeaderDeparture.HandOver;
        options.OnFlightStarted += async _ =>
        {
            if (!isFirst)
            {
                return;
            }

            // Not awaited before the flight is closed, and by then the handing over has begun.
            isFirst = false;
            closing = WaitGraph.Current;
            await Task.Run(() =>
            {
                while (!closing!.IsClosed)
                {
                    Thread.SpinWait(1);
                }
            });
        };
        var pipeline = Build(options);
        var gate = new Gate();
        var running = 0;
        async Task<int> Run(ResilienceContext context)
        {
            Assert.Equal(1, Interlocked.Increment(ref running));
            await gate.Opened;
            return 1;
        }

        using var source = new CancellationTokenSource();
        var leader = Call(pipeline, "key", Run, source.Token);
        await Probe.Reached(Started, 1);
        var followers = Enumerable.Range(0, Followers).Select(_ => Call(pipeline, "key", Run)).ToArray();
        await Probe.Reached(Joined, Followers);

        await Task.Run(source.Cancel);
        await IsCanceledBy(leader, source.Token);
        await Probe.Reached(Started, 2);

        Assert.Equal("key", Assert.Single(Group.GetFlights()).Key);
        var newcomer = Call(pipeline, "key", Run);
        await Probe.Reached(Joined, Followers + 1);
        gate.Open();
        await Task.WhenAll([.. followers, newcomer]);
        Assert.Equal(1, running);
    }
}
