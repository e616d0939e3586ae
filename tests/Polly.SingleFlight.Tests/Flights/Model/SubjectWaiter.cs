using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>A wait that records what is done with it. A request to run only opens a gate, so that the test's thread says when the caller runs.</summary>
internal sealed class SubjectWaiter<TResult>(
    Flight<TResult> flight, ResilienceContext context, FlightRules rules, Action<Flight> released)
    : Waiter<TResult>(flight, context, now: 0)
{
    private readonly Gate _runRequest = new();

    public override FlightRules Rules => rules;

    public Task RunRequest => _runRequest.Opened;

    protected override void OnRelease(Exception? failure, bool hasLeft) => released(Flight);

    protected override void RunOwnCallback() => _runRequest.Open();
}
