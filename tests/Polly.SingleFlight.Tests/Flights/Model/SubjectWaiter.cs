using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>A wait that records what is done with it. A summons only opens a gate, so that the test's thread says when the caller runs.</summary>
internal sealed class SubjectWaiter<TResult>(
    Flight<TResult> flight, ResilienceContext context, FlightRules rules, bool isLeader, Action<Flight> released)
    : Waiter<TResult>(flight, context, now: 0, isLeader)
{
    private readonly Gate _summons = new();

    public override FlightRules Rules => rules;

    public Task Summons => _summons.Opened;

    protected override void OnRelease() => released(Flight);

    protected override void RunSummoned() => _summons.Open();
}
