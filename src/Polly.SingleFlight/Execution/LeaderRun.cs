using System.Diagnostics;
using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Execution;

/// <summary>One flight, from the side of its leader. <see cref="RunningFlight{TResult}"/> tells how it ends.</summary>
/// <remarks>
/// <para>1. Announce: from here on the leader's token can end its part, and the event of the start is reported.</para>
/// <para>2. Run the callback on the leader's thread, on a context of the flight's own.</para>
/// <para>3. Wait, if the callback yields: the leader gets a wait of its own, which its token can end.</para>
/// <para>4. Land: the flight closes, and it is decided who is to be given what.</para>
/// <para>5. Serve the followers, then the leader.</para>
/// <para>6. End: what the flight holds is given back.</para>
/// </remarks>
internal readonly struct LeaderRun<TResult, TState>
{
    private readonly ExecutionParts _parts;
    private readonly Flight<TResult> _flight;
    private readonly Call<TResult, TState> _call;

    private LeaderRun(ExecutionParts parts, Flight<TResult> flight, in Call<TResult, TState> call)
    {
        _parts = parts;
        _flight = flight;
        _call = call;
    }

    private ResilienceContext Leader => _call.Context;

    /// <summary>The time by the flight's clock.</summary>
    private long Now => _flight.Rules.Clock.Now;

    /// <summary>Leads a flight that this caller has started.</summary>
    public static ValueTask<Outcome<TResult>> Lead(ExecutionParts parts, Flight<TResult> flight, in Call<TResult, TState> call) =>
        new LeaderRun<TResult, TState>(parts, flight, call).Announce(callerCount: 1);

    /// <summary>Leads a flight that followers of an earlier one elected this caller for.</summary>
    public static ValueTask<Outcome<TResult>> LeadSuccessor(ExecutionParts parts, Flight<TResult> flight, in Call<TResult, TState> call)
    {
        if (parts.Rules.DetectReentrancy && CallOrigin.Of(call.Context) is { IsNone: false } origin)
        {
            lock (WaitGraph.Gate)
            {
                WaitGraph.Nest_NeedsLock(flight, origin);
            }
        }

        flight.BeginTime();
        var run = new LeaderRun<TResult, TState>(parts, flight, call);
        if (!call.Context.CancellationToken.IsCancellationRequested)
        {
            return run.Announce(flight.Joined);
        }

        // Its token fired since it was elected, so its callback does not begin.
        run.Resign();
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
            Resign();
            return Outcome.FromExceptionAsValueTask<TResult>(exception);
        }

        var token = Leader.CancellationToken;
        var registration = token.CanBeCanceled
            ? token.UnsafeRegister(static (flight, token) => ((Flight<TResult>)flight!).OnLeaderTokenFired(token), _flight)
            : default;
        var started = Report(callerCount);
        return started.IsCompletedSuccessfully ? Run(registration) : RunAfterAsync(started, registration);
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

    private async ValueTask<Outcome<TResult>> RunAfterAsync(ValueTask started, CancellationTokenRegistration registration)
    {
        await started.ConfigureAwait(Leader.ContinueOnCapturedContext);
        return await Run(registration).ConfigureAwait(Leader.ContinueOnCapturedContext);
    }

    /// <summary>Steps 2 to 6 if the callback completes synchronously; else step 2, and step 3 takes over.</summary>
    private ValueTask<Outcome<TResult>> Run(CancellationTokenRegistration registration)
    {
        if (_flight.IsClosed)
        {
            // Everybody left, or the group cancelled, before the callback began; it need not begin now. The thread that closes the flight may
            // still be handing its key to a successor. Letting the leader go takes the gate, so that thread is done before the flight ends.
            registration.Unregister();
            var letGo = LetLeaderGo();
            _flight.End();
            return new(letGo);
        }

        RunningFlight<TResult> running;
        FlightInterceptor? inside;
        try
        {
            running = Begin(out inside);
        }
        catch (Exception exception)
        {
            // As with properties that cannot be written.
            registration.Unregister();
            Resign();
            return Outcome.FromExceptionAsValueTask<TResult>(exception);
        }

        var pending = Invoke(running, inside);
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

        var landing = _flight.Land(outcome, Now, running.NeedsPreparation(outcome), token);
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

    /// <summary>Makes the flight's own context, and opens its span.</summary>
    private RunningFlight<TResult> Begin(out FlightInterceptor? inside)
    {
        var context = FlightContext.Rent(Leader, _flight, out inside);
        if (inside?.Applies<TResult>(_parts.Builder, _flight.Key) == true)
        {
            _parts.Intercept(_flight).AddLeaders(inside);
        }
        else
        {
            inside = null;
        }

        _parts.Sharing?.PrepareContext(_flight.Attachment, context);
        SingleFlightInstruments.StartFlight(_flight);
        SingleFlightInstruments.FlightStarted(_flight, _parts.Tags);
        return new(_parts, _flight, context);
    }

    /// <summary>
    /// Runs the synchronous part of the callback under the leader's execution context, with the flight as the current one for everything
    /// that the callback starts, and leaves the leader's own flow as the callback left it.
    /// </summary>
    private ValueTask<Outcome<TResult>> Invoke(in RunningFlight<TResult> running, FlightInterceptor? inside)
    {
        var scope = _parts.Rules.DetectReentrancy ? WaitGraph.Enter(_flight) : default;
        try
        {
            var pending = inside is null
                ? _call.RunOnAsync(running.Context)
                : InvokeAsync(inside, running.Context);

            // A task of a source that is not, or no more, the callback's throws when it is asked. Here that is an outcome, further on it would leave the flight behind.
            _ = pending.IsCompleted;
            return pending;
        }
        catch (Exception exception)
        {
            return Outcome.FromExceptionAsValueTask<TResult>(exception);
        }
        finally
        {
            if (_flight.OwnSpan is { } span)
            {
                Activity.Current = span.Parent;
            }

            if (_parts.Rules.DetectReentrancy)
            {
                scope.Leave();
            }
        }
    }

    /// <summary>Runs the callback unless a strategy outside has an outcome in its place.</summary>
    private async ValueTask<Outcome<TResult>> InvokeAsync(FlightInterceptor inside, ResilienceContext context)
    {
        return await _parts.Intercept(_flight).BeforeCallbackAsync<TResult>(inside, context).ConfigureAwait(context.ContinueOnCapturedContext)
            ?? await _call.RunOnAsync(context).ConfigureAwait(context.ContinueOnCapturedContext);
    }

    /// <summary>Step 3: gives the leader a wait of its own, which its token can end while the callback goes on.</summary>
    private ValueTask<Outcome<TResult>> Wait(
        in RunningFlight<TResult> running, ValueTask<Outcome<TResult>> pending, CancellationTokenRegistration registration)
    {
        var wait = YieldedRun<TResult>.Rent(running, Leader, registration);
        var task = wait.Task;
        if (!_flight.TrySetLeader(wait))
        {
            registration.Unregister();
            _ = running.LandAsync(pending, Leader.CancellationToken);
            return new(LetLeaderGo());
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
            return new(LetLeaderGo());
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

    /// <summary>Gives the flight up before its callback has begun. Its followers elect another leader.</summary>
    private void Resign()
    {
        _flight.Resign(Now).Act();
        _flight.End();
    }

    /// <summary>What a leader gets that left, or whose flight was cancelled, while its callback ran synchronously.</summary>
    private Outcome<TResult> LetLeaderGo()
    {
        var age = _flight.Age;
        LeaderState before;
        int joined;
        using (_flight.Stripe.Gate.Enter())
        {
            before = _flight.LetLeaderGo_NeedsLock();
            joined = _flight.Joined;
        }

        var result = new SingleFlightResult(SingleFlightRole.Leader, joined, _flight.Id, age);
        Leader.Properties.Set(ContextProperties.Participation, result);
        if (SingleFlightInstruments.CountsExecutions)
        {
            _parts.Count(result);
        }

        if (before == LeaderState.Abandoning)
        {
            _parts.Telemetry.Abandoned(Leader, _flight);
        }

        return before is LeaderState.Leaving or LeaderState.Abandoning
            ? Outcomes.Canceled<TResult>(Leader)
            : Outcome.FromException<TResult>(_parts.CreateCancellation());
    }
}
