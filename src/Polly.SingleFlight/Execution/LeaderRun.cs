using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Execution;

/// <summary>One flight, from the side of its leader. <see cref="RunningFlight{TResult}"/> tells how it ends.</summary>
/// <remarks>
/// <para>1. Announce: from here on the leader's token can end its part, and the event of the start is reported.</para>
/// <para>2. Run the callback on the leader's thread, on a context of the flight's own.</para>
/// <para>3. Wait, if the callback yields: the leader gets a wait of its own, which its token can end.</para>
/// <para>4. Land: the flight closes, and it is decided who is to be given what.</para>
/// <para>5. Serve the followers, then the leader.</para>
/// <para>6. End: what the flight holds is given back.</para>
/// <para>
/// This is the path that every uncontended call takes. Outcomes go from method to method without a copy on the way, and the call is referred to: to
/// copy what was just written costs as much as to take a lock.
/// </para>
/// </remarks>
internal readonly ref struct LeaderRun<TResult, TState>
{
    private readonly ExecutionParts _parts;
    private readonly Flight<TResult> _flight;
    private readonly ref readonly Call<TResult, TState> _call;

    private LeaderRun(ExecutionParts parts, Flight<TResult> flight, in Call<TResult, TState> call)
    {
        _parts = parts;
        _flight = flight;
        _call = ref call;
    }

    private ResilienceContext Leader => _call.Context;

    /// <summary>Leads a flight that this caller has started.</summary>
    public static ValueTask<Outcome<TResult>> Lead(ExecutionParts parts, Flight<TResult> flight, in Call<TResult, TState> call) =>
        new LeaderRun<TResult, TState>(parts, flight, call).Announce(callerCount: 1);

    /// <summary>Leads a flight that followers of an earlier one elected this caller for.</summary>
    public static ValueTask<Outcome<TResult>> LeadSuccessor(ExecutionParts parts, Flight<TResult> flight, in Call<TResult, TState> call)
    {
        if (parts.Rules.DetectReentrancy && CallOrigin.TryFind(call.Context, out var origin))
        {
            lock (WaitGraph.Gate)
            {
                WaitGraph.Nest_NeedsLock(flight, origin);
            }
        }

        flight.BeginTime();
        if (!call.Context.CancellationToken.IsCancellationRequested)
        {
            return new LeaderRun<TResult, TState>(parts, flight, call).Announce(flight.Joined);
        }

        // Its token fired since it was elected, so its callback does not begin.
        LeaderExit.Resign(flight);
        LoneRun.Mark(parts, BypassReason.Election, call.Context);
        return new(Outcomes.Canceled<TResult>(call.Context));
    }

    /// <summary>Step 1.</summary>
    private ValueTask<Outcome<TResult>> Announce(int callerCount)
    {
        try
        {
            Leader.Properties.Set(ContextProperties.Participation, _flight);
        }
        catch (Exception exception)
        {
            // Properties that cannot be written are this caller's trouble and nobody else's.
            return Fail(exception);
        }

        var token = Leader.CancellationToken;
        var registration = token.CanBeCanceled
            ? token.UnsafeRegister(static (flight, token) => ((Flight<TResult>)flight!).OnLeaderTokenFired(token), _flight)
            : default;
        var started = Report(callerCount);
        if (started.IsCompletedSuccessfully)
        {
            return Run(registration);
        }

        return RunAfterAsync(started, _parts, _flight, _call, registration);
    }

    /// <summary>Reports the start. The flight can be joined already and waits for the event's callback, which runs inside it therefore (S11).</summary>
    private ValueTask Report(int callerCount)
    {
        if (!_parts.Rules.DetectReentrancy || !_parts.Telemetry.HasStartedCallback)
        {
            return _parts.Telemetry.Started(Leader, _flight, callerCount);
        }

        var scope = WaitGraph.Enter(_flight);
        var started = _parts.Telemetry.Started(Leader, _flight, callerCount);
        scope.Leave();
        return started;
    }

    private static async ValueTask<Outcome<TResult>> RunAfterAsync(
        ValueTask started, ExecutionParts parts, Flight<TResult> flight, Call<TResult, TState> call, CancellationTokenRegistration registration)
    {
        await started.ConfigureAwait(call.Context.ContinueOnCapturedContext);
        return await new LeaderRun<TResult, TState>(parts, flight, call).Run(registration).ConfigureAwait(call.Context.ContinueOnCapturedContext);
    }

    /// <summary>Steps 2 to 6 if the callback completes synchronously; else step 2, and step 3 takes over.</summary>
    private ValueTask<Outcome<TResult>> Run(CancellationTokenRegistration registration)
    {
        if (_flight.IsClosed)
        {
            // Everybody left, or the group cancelled, before the callback began; it need not begin now.
            registration.Unregister();
            var letGo = LeaderExit.LetGo(_parts, _flight, Leader);
            _flight.End();
            return new(letGo);
        }

        RunningFlight<TResult> running;
        FlightInterceptor? inside;
        try
        {
            running = RunningFlight<TResult>.Begin(_parts, _flight, Leader, out inside);
        }
        catch (Exception exception)
        {
            // As with properties that cannot be written.
            registration.Unregister();
            return Fail(exception);
        }

        var pending = FlightCallback<TResult, TState>.Invoke(running, inside, _call);
        if (!pending.IsCompleted)
        {
            return Wait(running, pending, registration);
        }

        var token = Leader.CancellationToken;
        if (token.IsCancellationRequested)
        {
            // The registration may not have had its turn yet, but the departure counts from when the token fired (S4).
            _flight.OnLeaderTokenFired(token);
        }

        var outcome = Outcomes.Get(pending);
        if (_flight.Interception is not null || _flight.MayTurnOutForeign(outcome.Exception, token))
        {
            return Wait(running, new(outcome), registration);
        }

        var landing = _flight.Land(outcome, _flight.Rules.Clock.Now, running.NeedsPreparation(outcome), token);
        if (landing.IsDeferred)
        {
            return Wait(running, new(outcome), registration);
        }

        if (landing is { TooLate: false, Followers: null, Election: null })
        {
            registration.Unregister();
            return running.Return(outcome, Leader);
        }

        return ServeAndReturn(running, landing, outcome, registration);
    }

    /// <summary>Step 3: gives the leader a wait of its own, which its token can end while the callback goes on.</summary>
    private ValueTask<Outcome<TResult>> Wait(
        in RunningFlight<TResult> running, in ValueTask<Outcome<TResult>> pending, CancellationTokenRegistration registration)
    {
        var wait = YieldedRun<TResult>.Rent(running, Leader, registration);
        var task = wait.Task;
        if (!_flight.TrySetLeader(wait))
        {
            registration.Unregister();
            _ = running.LandAsync(pending, Leader.CancellationToken);
            return new(LeaderExit.LetGo(_parts, _flight, Leader));
        }

        wait.LandAfter(pending);
        return task;
    }

    /// <summary>Steps 5 and 6 where the callback completed synchronously, and somebody joined or left meanwhile.</summary>
    private ValueTask<Outcome<TResult>> ServeAndReturn(
        in RunningFlight<TResult> running, in Landing<TResult> landing, in Outcome<TResult> outcome, CancellationTokenRegistration registration)
    {
        if (landing.TooLate || _flight.LeaderLeft)
        {
            registration.Unregister();
            running.ServeWithoutLeader(landing, outcome);
            return new(LeaderExit.LetGo(_parts, _flight, Leader));
        }

        if (_parts.Sharing is null || landing.Followers is null)
        {
            registration.Unregister();
            landing.Election.Act();
            FollowerService.Publish(landing.Followers, outcome, landing.Now);
            return running.Return(outcome, Leader);
        }

        // A predicate or a cloner may take its time, so the leader needs a wait that its token can end (S4).
        var wait = YieldedRun<TResult>.Rent(running, Leader, registration);
        var task = wait.Task;
        var token = Leader.CancellationToken;
        _flight.SetLandedLeader(wait);
        if (token.IsCancellationRequested)
        {
            // The registration may have had its turn before there was a wait to end.
            _flight.OnLeaderTokenFired(token);
        }

        _ = running.ServeAsync(landing, outcome);
        return task;
    }

    /// <summary>Ends a flight whose callback could not begin, with what kept it from that.</summary>
    private ValueTask<Outcome<TResult>> Fail(Exception exception)
    {
        LeaderExit.Resign(_flight);
        return Outcome.FromExceptionAsValueTask<TResult>(exception);
    }
}
