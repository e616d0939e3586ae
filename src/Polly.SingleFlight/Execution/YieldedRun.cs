using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Execution;

/// <summary>A run whose callback has yielded: the continuation of the callback, which lands the flight, and the wait of the leader.</summary>
/// <remarks>
/// <para>
/// L2 - A leader that its landing lets go continues inside the landing, as without the strategy; one that its token or its group lets go continues on
/// the thread pool, since the stack belongs to the party that cancelled.
/// </para>
/// <para>
/// L3 - A leader that may block its thread waits for a task, which wakes it without a thread of the pool (S12).
/// </para>
/// <para>
/// L4 - The object is used again only if its landing let the leader go, which is the last thing that a landing does with it, and only when the leader
/// has fetched its outcome. By L1 no other party has it then.
/// </para>
/// </remarks>
internal sealed class YieldedRun<TResult> : LeaderWait<TResult>, IValueTaskSource<Outcome<TResult>>
{
    [ThreadStatic]
    private static YieldedRun<TResult>? s_spare;

    private readonly Action _land;
    private ManualResetValueTaskSourceCore<Outcome<TResult>> _core;
    private RunningFlight<TResult> _running;
    private ConfiguredValueTaskAwaitable<Outcome<TResult>>.ConfiguredValueTaskAwaiter _callback;
    private ExecutionContext? _executionContext;
    private CancellationTokenRegistration _registration;

    /// <summary>Compared with, after the leader has returned (I6).</summary>
    private CancellationToken _token;

    /// <summary>What a leader that may block waits for (L3).</summary>
    private TaskCompletionSource<Outcome<TResult>>? _task;

    private bool _isReusable;

    private YieldedRun() => _land = LandOnExecutionContext;

    /// <summary>What the leader waits for.</summary>
    public ValueTask<Outcome<TResult>> Task => _task is { } task ? new(task.Task) : new(this, _core.Version);

    /// <param name="running">The run.</param>
    /// <param name="leader">The context of the leader.</param>
    /// <param name="registration">The flight's registration on the token of the leader.</param>
    public static YieldedRun<TResult> Rent(in RunningFlight<TResult> running, ResilienceContext leader, CancellationTokenRegistration registration)
    {
        var run = s_spare ?? new YieldedRun<TResult>();
        s_spare = null;
        run._running = running;
        run._registration = registration;
        run._token = leader.CancellationToken;
        run._executionContext = ExecutionContext.Capture();
        run._task = CallerMode.MayBlock(leader) ? new(TaskCreationOptions.RunContinuationsAsynchronously) : null;
        run.Context = leader;
        return run;
    }

    /// <summary>Has the flight land when the callback ends. The leader may have been let go by then.</summary>
    public void LandAfter(ValueTask<Outcome<TResult>> pending)
    {
        _callback = pending.ConfigureAwait(false).GetAwaiter();
        if (_callback.IsCompleted)
        {
            Land();
            return;
        }

        try
        {
            _callback.UnsafeOnCompleted(_land);
        }
        catch (Exception exception)
        {
            // A task that cannot be waited for, because its source is not, or no more, the callback's, must not leave the flight behind.
            _ = _running.LandAsync(new(Outcome.FromException<TResult>(exception)), _token);
        }
    }

    /// <summary>Lets the leader go, whose wait was taken from its flight, as the last thing that the landing does.</summary>
    public void Release(in Outcome<TResult> outcome)
    {
        _registration.Unregister();
        if (SingleFlightInstruments.CountsExecutions)
        {
            _running.Parts.Count(_running.Flight.CreateLeaderResult());
        }

        if (_task is { } task)
        {
            task.SetResult(outcome);
            return;
        }

        // A callback that died of its leader's token may end on the stack that cancelled it.
        _core.RunContinuationsAsynchronously = _token.IsCancellationRequested || !RuntimeHelpers.TryEnsureSufficientExecutionStack();
        _isReusable = true;
        _core.SetResult(outcome);
    }

    protected override void OnLetGo(in Outcome<TResult> outcome, long now)
    {
        _registration.Unregister();
        var flight = _running.Flight;
        LeaderExit.Note(_running.Parts, new(SingleFlightRole.Leader, flight.Joined, flight.Id, flight.TimeUntil(now)), Context);
        if (_task is { } task)
        {
            task.SetResult(outcome);
            return;
        }

        _core.RunContinuationsAsynchronously = true;
        _core.SetResult(outcome);
    }

    Outcome<TResult> IValueTaskSource<Outcome<TResult>>.GetResult(short token)
    {
        var outcome = _core.GetResult(token);
        if (_isReusable)
        {
            Recycle();
        }

        return outcome;
    }

    ValueTaskSourceStatus IValueTaskSource<Outcome<TResult>>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<Outcome<TResult>>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Recycle()
    {
        _isReusable = false;
        _core.Reset();
        _running = default;
        _registration = default;
        _token = default;
        _executionContext = null;
        Reset();
        s_spare = this;
    }

    private void LandOnExecutionContext()
    {
        if (_executionContext is null)
        {
            Land();
        }
        else
        {
            ExecutionContext.Run(_executionContext, static run => ((YieldedRun<TResult>)run!).Land(), this);
        }
    }

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

        // Copies, since this object may be another run's when the leader has been let go.
        var running = _running;
        if (running.Flight.Interception is not null || running.NeedsPreparation(outcome) || running.Flight.MayTurnOutForeign(outcome.Exception, _token))
        {
            _ = running.LandAsync(new(outcome), _token);
            return;
        }

        var servesFirst = running.Parts.Sharing is not null;
        var landing = running.Flight.Land(outcome, running.Flight.Rules.Clock.Now, unlessFollowed: false, _token, servesFirst);
        if (servesFirst && landing.Followers is not null)
        {
            _ = running.ServeAsync(landing, outcome);
            return;
        }

        landing.Election.Act();
        FollowerService.Publish(landing.Followers, outcome, landing.Now);
        _ = running.ServeLeaderAsync(landing, outcome);
    }
}
