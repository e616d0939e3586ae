using Polly.SingleFlight.Execution;
using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>One flight from the side of its leader, step by step as an execution goes through it.</summary>
internal sealed class SubjectRun<TResult>(
    Flight<TResult> flight, SubjectListener listener, ResilienceContext leader, Action released)
{
    private CancellationTokenRegistration _registration;
    private SubjectLeaderWait<TResult>? _wait;
    private Landing<TResult> _landing;
    private Outcome<TResult> _outcome;
    private Outcome<TResult>? _returned;

    public Flight<TResult> Flight => flight;

    /// <summary>What the leader has got, if it has got something.</summary>
    public Outcome<TResult>? Received => _wait?.Received ?? _returned;

    public void Begin()
    {
        var token = leader.CancellationToken;
        _registration = token.CanBeCanceled
            ? token.UnsafeRegister(static (flight, token) => ((Flight<TResult>)flight!).OnLeaderTokenFired(token), flight)
            : default;
    }

    /// <summary>Begins to lead a flight that the leader was elected for.</summary>
    public void BeginSuccessor()
    {
        if (leader.CancellationToken.IsCancellationRequested)
        {
            GiveUp(Outcomes.Canceled<TResult>(leader));
            return;
        }

        Begin();
        if (flight.IsClosed)
        {
            _registration.Unregister();
            LetGo();
            flight.End();
        }
    }

    public bool Yield()
    {
        var wait = new SubjectLeaderWait<TResult>(leader, _registration, released);
        if (!flight.TrySetLeader(wait))
        {
            _registration.Unregister();
            LetGo();
            return false;
        }

        _wait = wait;
        return true;
    }

    public LandingAnswer Land(in Outcome<TResult> outcome, bool isPrepared)
    {
        var token = leader.CancellationToken;
        if (_wait is null && token.IsCancellationRequested)
        {
            // Does nothing, since the registration has done it already.
            flight.OnLeaderTokenFired(token);
        }

        var mayTurnOutForeign = flight.MayTurnOutForeign(outcome.Exception, token);
        var landing = flight.Land(outcome, now: 0, isPrepared, token, servesFirst: true);
        if (!landing.IsDeferred)
        {
            if (_wait is null)
            {
                _registration.Unregister();
            }

            _outcome = outcome;
            _landing = landing;
            landing.Election.Act();
        }

        return new LandingAnswer(mayTurnOutForeign, landing.TooLate, landing.IsDeferred, landing.Followers is not null, landing.Election is not null);
    }

    public void Serve(bool isShared)
    {
        if (isShared || _landing.Followers is null)
        {
            FollowerService.Publish(_landing.Followers, _outcome, now: 0);
        }
        else
        {
            flight.ElectAmong(_landing.Followers, now: 0).Act();
        }

        if (_wait is not null)
        {
            ((SubjectLeaderWait<TResult>?)(_landing.Leader ?? flight.TakeLeader()))?.Release(_outcome);
        }
        else if (_returned is null)
        {
            ServeRunningLeader();
        }

        flight.End();
    }

    public void GiveUp(Outcome<TResult> outcome)
    {
        _registration.Unregister();
        flight.Resign(now: 0).Act();
        flight.End();
        _returned = outcome;
    }

    private void ServeRunningLeader()
    {
        if (_landing.TooLate || flight.LeaderLeft)
        {
            LetGo();
        }
        else
        {
            _returned = _outcome;
        }
    }

    private void LetGo()
    {
        LeaderState before;
        using (flight.Stripe.Gate.Enter())
        {
            before = flight.LetLeaderGo_NeedsLock();
        }

        if (before == LeaderState.Abandoning)
        {
            listener.OnAbandoned(flight, leader);
        }

        _returned = before is LeaderState.Leaving or LeaderState.Abandoning
            ? Outcomes.Canceled<TResult>(leader)
            : Outcome.FromException<TResult>(listener.CreateCancellation());
    }
}
