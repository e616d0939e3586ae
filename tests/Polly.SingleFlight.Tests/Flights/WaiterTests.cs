using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Tests.Flights.Model;

namespace Polly.SingleFlight.Tests.Flights;

/// <summary>Parties that want the same caller at the same moment.</summary>
public sealed class WaiterTests
{
    private readonly FlightRules _rules = new()
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

    private readonly FlightStripe _stripe = new(EqualityComparer<object>.Default);
    private readonly ResilienceContext _context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);

    [Fact]
    public async Task W1_TwoPartiesClaimAtOnce_OneSucceeds()
    {
        const int Rounds = 30_000;
        var flight = NewFlight();
        var waiters = Enumerable.Range(0, Rounds).Select(_ => new SubjectWaiter<int>(flight, _context, _rules, static _ => { })).ToArray();
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

    [Fact]
    public void W1_FollowerIsClaimedAfterTheLanding_IsNotElected()
    {
        var flight = NewFlight();
        var (gone, stays) = (new SubjectWaiter<int>(flight, _context, _rules, static _ => { }), new SubjectWaiter<int>(flight, _context, _rules, static _ => { }));
        using (_stripe.Gate.Enter())
        {
            flight.Join_NeedsLock(gone);
            flight.Join_NeedsLock(stays);
        }

        var landing = flight.Land(Outcome.FromResult(1), now: 0, unlessFollowed: false, leaderToken: default, servesFirst: true);
        Assert.True(gone.TryClaim());
        stays.Ready();
        var election = flight.ElectAmong(landing.Followers!, now: 0);

        Assert.Same(stays, election?.Leader);
        Assert.Same(flight, gone.Flight);
        Assert.Equal(1, stays.Flight.Joined);
    }

    /// <summary>The callback may obey its token and end while the group still lets the followers go.</summary>
    [Fact]
    public void L1_GroupCancels_LandingThatComesBetweenDoesNotFindTheLeader()
    {
        var flight = NewFlight();
        var leader = new SubjectLeaderWait<int>(_context, default, static () => { });
        Assert.True(flight.TrySetLeader(leader));
        LeaderWait<int>? found = leader;
        var follower = new SubjectWaiter<int>(flight, _context, _rules, _ => found = flight.TakeLeader());
        using (_stripe.Gate.Enter())
        {
            flight.Join_NeedsLock(follower);
        }

        Assert.True(flight.CancelByGroup());

        Assert.Null(found);
        Assert.IsType<FlightCanceledException>(leader.Received?.Exception);
    }

    private Flight<int> NewFlight()
    {
        using (_stripe.Gate.Enter())
        {
            return new Flight<int>(_rules, _stripe, hash: 0, "key", now: 0);
        }
    }
}
