using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>The wait of a leader that records what it gets.</summary>
internal sealed class SubjectLeaderWait<TResult> : LeaderWait<TResult>
{
    private readonly CancellationTokenRegistration _registration;
    private readonly Action _released;

    public SubjectLeaderWait(ResilienceContext leader, CancellationTokenRegistration registration, Action released)
    {
        Context = leader;
        _registration = registration;
        _released = released;
    }

    public Outcome<TResult>? Received { get; private set; }

    public void Release(Outcome<TResult> outcome)
    {
        Assert.Null(Received);
        _registration.Unregister();
        _released();
        Received = outcome;
    }

    protected override void OnLetGo(in Outcome<TResult> outcome, long now) => Release(outcome);
}
