using System.Runtime.CompilerServices;
using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Execution;

/// <summary>The wait of a leader whose callback has yielded. It is the callback's continuation itself, as most flights end without waiting again.</summary>
internal sealed class LeaderWait<TResult>(in RunningFlight<TResult> running, ResilienceContext leader)
    : Waiter<TResult>(running.Flight, leader, running.Flight.StartTimestamp, isLeader: true)
{
    private readonly RunningFlight<TResult> _running = running;

    /// <summary>Compared with, after the leader has returned (I6).</summary>
    private readonly CancellationToken _token = leader.CancellationToken;

    private ConfiguredValueTaskAwaitable<Outcome<TResult>>.ConfiguredValueTaskAwaiter _callback;

    public override FlightRules Rules => _running.Flight.Rules;

    /// <summary>Has the flight land when the callback ends. The leader may have been let go by then.</summary>
    public void LandAfter(ValueTask<Outcome<TResult>> pending)
    {
        _callback = pending.ConfigureAwait(false).GetAwaiter();
        if (_callback.IsCompleted)
        {
            Land();
        }
        else
        {
            _callback.UnsafeOnCompleted(LandOnExecutionContext);
        }
    }

    protected override void OnRelease()
    {
        if (SingleFlightInstruments.CountsExecutions)
        {
            _running.Parts.Count(CreateResult());
        }
    }

    /// <summary>A leader is never elected, nor sent away.</summary>
    protected override void RunOwnCallback() => throw new NotSupportedException();

    private void LandOnExecutionContext() => RunOnExecutionContext(static wait => ((LeaderWait<TResult>)wait!).Land());

    /// <summary>Steps 4 to 6. Does not throw.</summary>
    private void Land()
    {
        Outcome<TResult> outcome;
        try
        {
            outcome = _callback.GetResult();
        }
        catch (Exception exception)
        {
            outcome = Outcome.FromException<TResult>(exception);
        }

        _callback = default;
        if (_running.Flight.Interception is not null || _running.NeedsPreparation(outcome) || _running.Flight.MayTurnOutForeign(outcome.Exception, _token))
        {
            _ = _running.LandAsync(new(outcome), this, _token);
            return;
        }

        var landing = _running.Flight.Land(outcome, Rules.Clock.Now, unlessFollowed: false, _token);
        if (_running.Parts.Sharing is not null && landing.Followers is not null)
        {
            _ = _running.ServeAsync(landing, outcome, this);
            return;
        }

        landing.Election.Act();
        FollowerService.Publish(landing.Followers, outcome, landing.Now);
        _ = _running.ServeLeaderAsync(landing, outcome, this);
    }
}
