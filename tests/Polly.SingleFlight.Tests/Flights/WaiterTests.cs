using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Tests.Flights.Model;

namespace Polly.SingleFlight.Tests.Flights;

public sealed class WaiterTests
{
    [Fact]
    public async Task W1_TwoPartiesClaimAtOnce_OneSucceeds()
    {
        const int Rounds = 30_000;
        var rules = new FlightRules
        {
            Clock = new FlightClock(TimeProvider.System),
            LeaderDeparture = LeaderDeparture.Detach,
            CancelWhenAbandoned = true,
            MaxElections = 1,
            DetectReentrancy = false,
            MaxJoinAge = long.MaxValue,
            Realm = null,
            Listener = new SubjectListener(),
        };
        var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);
        var flight = NewFlight(rules);
        var waiters = Enumerable.Range(0, Rounds).Select(_ => new SubjectWaiter<int>(flight, context, rules, static _ => { })).ToArray();
        var claims = new int[Rounds];
        await Rendezvous.OfTwoThreads(Rounds, round =>
        {
            if (waiters[round].TryClaim())
            {
                Interlocked.Increment(ref claims[round]);
            }
        });

        Assert.All(claims, static count => Assert.Equal(1, count));
    }

    private static Flight<int> NewFlight(FlightRules rules)
    {
        var stripe = new FlightStripe(EqualityComparer<object>.Default);
        using (stripe.Gate.Enter())
        {
            return new Flight<int>(rules, stripe, hash: 0, "key", now: 0);
        }
    }
}
