using System.Diagnostics;
using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight;

/// <summary>The leader's way: S2 to S6, and S8.</summary>
internal sealed partial class SingleFlightResilienceStrategy
{
    /// <summary>Leads a flight that followers of an earlier one elected this caller for.</summary>
    public ValueTask<Outcome<TResult>> LeadSuccessor<TResult, TState>(
        Flight<TResult> flight, Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        if (_detectReentrancy && CallOrigin.Of(context) is { IsNone: false } origin)
        {
            lock (WaitGraph.Gate)
            {
                WaitGraph.Nest_NeedsLock(flight, origin);
            }
        }

        if (!context.CancellationToken.IsCancellationRequested)
        {
            return Lead(flight, flight.Joined, callback, context, state);
        }

        // Its token fired since it was elected, so its callback does not begin.
        Forfeit(flight);
        PassBy(context, BypassReason.Election);
        return new(Outcomes.Canceled<TResult>(context));
    }

    private ValueTask<Outcome<TResult>> Lead<TResult, TState>(
        Flight<TResult> flight,
        int callerCount,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state)
    {
        try
        {
            context.Properties.Set(ContextProperties.Participation, flight);
        }
        catch (Exception exception)
        {
            // Properties that cannot be written are this caller's trouble and nobody else's.
            Forfeit(flight);
            return Outcome.FromExceptionAsValueTask<TResult>(exception);
        }

        var token = context.CancellationToken;
        var registration = token.CanBeCanceled
            ? token.UnsafeRegister(static (flight, token) => ((Flight<TResult>)flight!).OnLeaderTokenFired(token), flight)
            : default;
        var started = Start(flight, callerCount, context);
        return started.IsCompletedSuccessfully
            ? Launch(flight, registration, callback, context, state)
            : LaunchAfterAsync(started, flight, registration, callback, context, state);
    }

    /// <summary>The flight can be joined already and waits for this event, so the event's callback runs inside it (S11).</summary>
    private ValueTask Start(Flight flight, int callerCount, ResilienceContext context)
    {
        if (!_detectReentrancy || !Telemetry.HasStartedCallback)
        {
            return Telemetry.Started(context, flight, callerCount);
        }

        var scope = WaitGraph.Enter(flight);
        var started = Telemetry.Started(context, flight, callerCount);
        scope.Leave();
        return started;
    }

    private void Forfeit<TResult>(Flight<TResult> flight)
    {
        flight.Forfeit(Clock.GetTimestamp()).Act();
        flight.End();
    }

    private async ValueTask<Outcome<TResult>> LaunchAfterAsync<TResult, TState>(
        ValueTask started,
        Flight<TResult> flight,
        CancellationTokenRegistration registration,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state)
    {
        await started.ConfigureAwait(context.ContinueOnCapturedContext);
        return await Launch(flight, registration, callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext);
    }

    /// <summary>Runs the callback on the leader's thread, and gives the leader a wait of its own if it yields.</summary>
    private ValueTask<Outcome<TResult>> Launch<TResult, TState>(
        Flight<TResult> flight,
        CancellationTokenRegistration registration,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state)
    {
        if (flight.IsClosed)
        {
            // Everybody left, or the group cancelled, before the callback began; it need not begin now. The thread that closes the flight may
            // still be handing its key to a successor. Letting the leader go takes the gate, so that thread is done before the flight ends.
            registration.Unregister();
            var letGo = LetLeaderGo(flight, context);
            flight.End();
            return new(letGo);
        }

        ResilienceContext flightContext;
        IInsideFlight? inside;
        try
        {
            flightContext = FlightContext.Rent(context, out inside, out var outer, flight.Token);

            // A flight that is not looked for passes on what it is inside, as the execution context does.
            if ((_detectReentrancy ? flight : outer) is { } innermost)
            {
                flightContext.Properties.Set(ContextProperties.Flight, innermost);
            }

            _sharing?.Board(flight, flightContext);
        }
        catch (Exception exception)
        {
            // As with properties that cannot be written.
            registration.Unregister();
            Forfeit(flight);
            return Outcome.FromExceptionAsValueTask<TResult>(exception);
        }

        var flown = new Flown<TResult>(
            flight,
            flightContext,
            SingleFlightInstruments.StartFlight(flight),
            SingleFlightInstruments.FlightStarted(_tags));
        var pending = Fly(flown, inside, callback, state);
        registration.Unregister();
        if (!pending.IsCompleted)
        {
            return Seat(flown, pending, callback, context, state);
        }

        if (context.CancellationToken.IsCancellationRequested)
        {
            // The registration may not have had its turn yet, but the departure counts from when the token fired (S4).
            flight.OnLeaderTokenFired(context.CancellationToken);
        }

        var outcome = Outcomes.Get(pending);
        if (flight.MayTurnOutForeign(outcome.Exception, context.CancellationToken))
        {
            return Seat(flown, new(outcome), callback, context, state);
        }

        var landing = flight.Land(outcome, Clock.GetTimestamp(), NeedsPreparation(outcome), context.CancellationToken);
        if (landing.IsDeferred)
        {
            return Seat(flown, new(outcome), callback, context, state);
        }

        return landing is { TooLate: false, Followers: null, Election.IsNone: true }
            ? Return(flown, outcome, context)
            : ReturnShared(flown, landing, outcome, callback, context, state);
    }

    /// <summary>Gives the leader a wait of its own, which its token can end while the callback goes on.</summary>
    private ValueTask<Outcome<TResult>> Seat<TResult, TState>(
        in Flown<TResult> flown,
        ValueTask<Outcome<TResult>> pending,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state)
    {
        var flight = flown.Flight;
        var leader = new Caller<TResult, TState>(this, flight, callback, context, state, flight.StartTimestamp, isLeader: true);
        context.Properties.Set(ContextProperties.Participation, leader);
        if (!flight.TrySeat(leader))
        {
            _ = AwaitLandingAsync(flown, pending, leader: null, context.CancellationToken);
            return new(LetLeaderGo(flight, context));
        }

        leader.Listen();
        _ = AwaitLandingAsync(flown, pending, leader, context.CancellationToken);
        return new(leader.Task);
    }

    private static async ValueTask<Outcome<TResult>> FlyAsync<TResult, TState>(
        ResilienceContext context, IInsideFlight inside, Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, TState state)
    {
        if (await inside.FindAsync<TResult>(context).ConfigureAwait(context.ContinueOnCapturedContext) is { } found)
        {
            return found;
        }

        var outcome = await ResiliencePipeline.Empty.ExecuteOutcomeAsync(callback, context, state)
            .ConfigureAwait(context.ContinueOnCapturedContext);
        await inside.KeepAsync(context, outcome).ConfigureAwait(context.ContinueOnCapturedContext);
        return outcome;
    }

    /// <summary>
    /// Runs the synchronous part of the callback under the leader's execution context, with the flight as the current
    /// one for everything the callback starts, and leaves the leader's own flow as the callback left it.
    /// </summary>
    private ValueTask<Outcome<TResult>> Fly<TResult, TState>(
        in Flown<TResult> flown, IInsideFlight? inside, Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, TState state)
    {
        var scope = _detectReentrancy ? WaitGraph.Enter(flown.Flight) : default;
        try
        {
            return inside is null || inside.Builder != _builder
                ? ResiliencePipeline.Empty.ExecuteOutcomeAsync(callback, flown.Context, state)
                : FlyAsync(flown.Context, inside, callback, state);
        }
        catch (Exception exception)
        {
            return Outcome.FromExceptionAsValueTask<TResult>(exception);
        }
        finally
        {
            if (flown.Span is not null)
            {
                Activity.Current = flown.Span.Parent;
            }

            if (_detectReentrancy)
            {
                scope.Leave();
            }
        }
    }
}
