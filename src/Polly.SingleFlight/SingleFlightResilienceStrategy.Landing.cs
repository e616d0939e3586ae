using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight;

/// <summary>The end of a flight: S3, S6, S7, S10 and the leader's own return.</summary>
internal sealed partial class SingleFlightResilienceStrategy
{
    /// <summary>How long a cancellation may take from a token that the callback captured to the leader's that is linked to it.</summary>
    private static readonly TimeSpan s_cancellationGrace = TimeSpan.FromMilliseconds(20);

    /// <summary>The common end: the callback completed synchronously and nobody had joined.</summary>
    private ValueTask<Outcome<TResult>> Return<TResult>(in Flown<TResult> flown, in Outcome<TResult> outcome, ResilienceContext leader)
    {
        var own = ForLeader(flown, outcome, leader);
        End(flown);
        if (SingleFlightInstruments.CountsExecutions)
        {
            Record(flown.Flight.CreateLeaderResult());
        }

        var completed = Telemetry.Completed(leader, flown.Flight);
        return completed.IsCompletedSuccessfully ? new(own) : ReturnAfterAsync(completed, own, leader);
    }

    private static async ValueTask<Outcome<TResult>> ReturnAfterAsync<TResult>(
        ValueTask completed, Outcome<TResult> outcome, ResilienceContext leader)
    {
        await completed.ConfigureAwait(leader.ContinueOnCapturedContext);
        return outcome;
    }

    /// <summary>The callback completed synchronously, and somebody joined or left meanwhile.</summary>
    private ValueTask<Outcome<TResult>> ReturnShared<TResult, TState>(
        in Flown<TResult> flown,
        in Landing<TResult> landing,
        in Outcome<TResult> outcome,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state)
    {
        var flight = flown.Flight;
        if (landing.TooLate || flight.LeaderLeft)
        {
            ServeWithoutLeader(flown, landing, outcome);
            return new(LetLeaderGo(flight, context));
        }

        if (_sharing is null || landing.Followers is null)
        {
            landing.Election.Act();
            OutcomeDistribution.Publish(landing.Followers, outcome, landing.Now);
            return Return(flown, outcome, context);
        }

        // A predicate or a cloner may take its time, so the leader needs a wait that its token can end (S4).
        var leader = new Caller<TResult, TState>(this, flight, callback, context, state, flight.StartTimestamp, isLeader: true);
        context.Properties.Set(ContextProperties.Participation, leader);
        leader.Listen();
        _ = ServeAsync(flown, landing, outcome, leader);
        return new(leader.Task);
    }

    private bool NeedsPreparation<TResult>(in Outcome<TResult> outcome) => _sharing is { Prepares: true } && outcome.Exception is null;

    /// <summary>Waits for a callback that yielded, and serves those who wait. Does not throw.</summary>
    private async Task AwaitLandingAsync<TResult>(
        Flown<TResult> flown, ValueTask<Outcome<TResult>> pending, Waiter<TResult>? leader, CancellationToken leaderToken)
    {
        Outcome<TResult> outcome;
        try
        {
            outcome = await pending.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            outcome = Outcome.FromException<TResult>(exception);
        }

        if (leader is { IsClaimed: false } && flown.Flight.MayTurnOutForeign(outcome.Exception, leaderToken))
        {
            await Task.WhenAny(leader.Task, Task.Delay(s_cancellationGrace, CancellationToken.None)).ConfigureAwait(false);
        }

        var landing = flown.Flight.Land(outcome, Clock.GetTimestamp(), NeedsPreparation(outcome), leaderToken);
        if (landing.IsDeferred)
        {
            if (_detectReentrancy)
            {
                // Reading a body runs foreign code, whose flight this is (S11).
                WaitGraph.Enter(flown.Flight);
            }

            outcome = await _sharing!.PrepareAsync(flown.Flight, flown.Context, outcome).ConfigureAwait(false);
            landing = flown.Flight.Land(outcome, Clock.GetTimestamp(), unlessFollowed: false, leaderToken);
        }

        await ServeAsync(flown, landing, outcome, leader).ConfigureAwait(false);
    }

    /// <summary>Serves the followers of a leader that is on its way out; not on its stack where that would call foreign code.</summary>
    private void ServeWithoutLeader<TResult>(in Flown<TResult> flown, in Landing<TResult> landing, in Outcome<TResult> outcome)
    {
        if (_sharing is null || landing.Followers is null)
        {
            _ = ServeAsync(flown, landing, outcome, leader: null);
            return;
        }

        ThreadPool.UnsafeQueueUserWorkItem(
            static work => _ = work.Strategy.ServeAsync(work.Flown, work.Landing, work.Outcome, leader: null),
            (Strategy: this, Flown: flown, Landing: landing, Outcome: outcome),
            preferLocal: false);
    }

    /// <summary>Gives everybody what is theirs, the followers first. Does not throw.</summary>
    private async Task ServeAsync<TResult>(Flown<TResult> flown, Landing<TResult> landing, Outcome<TResult> outcome, Waiter<TResult>? leader)
    {
        landing.Election.Act();
        if (landing.Followers is not null && _sharing is not null)
        {
            if (_detectReentrancy)
            {
                // The predicate and the cloner run on behalf of the flight, whose followers still wait (S11).
                WaitGraph.Enter(flown.Flight);
            }

            await _sharing.DistributeAsync(flown.Flight, landing.Followers, outcome, flown.Context, landing.Now).ConfigureAwait(false);
        }
        else
        {
            OutcomeDistribution.Publish(landing.Followers, outcome, landing.Now);
        }

        if (leader is not null && !landing.TooLate && leader.TryClaim())
        {
            var own = ForLeader(flown, outcome, leader.Context);
            await Telemetry.Completed(leader.Context, flown.Flight).ConfigureAwait(false);
            End(flown);
            leader.Release(own, landing.Now);
            return;
        }

        if (!landing.TooLate)
        {
            await Telemetry.Completed(flown.Context, flown.Flight).ConfigureAwait(false);
        }

        End(flown);
        await ResultOwnership<TResult>.DisposeUnreceivedAsync(outcome).ConfigureAwait(false);
    }

    /// <summary>Gives a leader that is still there the properties that the callback wrote, and its outcome.</summary>
    private Outcome<TResult> ForLeader<TResult>(in Flown<TResult> flown, in Outcome<TResult> outcome, ResilienceContext leader)
    {
        try
        {
            FlightContext.CopyBack(flown.Context, leader);
            _sharing?.Receive(flown.Flight, outcome);

            // The callback's token may have been linked to the leader's, or the exception be another; the leader is to recognise its own (S4).
            return leader.CancellationToken.IsCancellationRequested
                && !(outcome.Exception is OperationCanceledException canceled && canceled.CancellationToken == leader.CancellationToken)
                && Cancellations.In(outcome.Exception) is not null
                    ? Outcomes.Canceled<TResult>(leader)
                    : outcome;
        }
        catch (Exception exception)
        {
            // Properties that cannot be written are the leader's trouble and nobody else's.
            return Outcome.FromException<TResult>(exception);
        }
    }

    /// <summary>What a leader gets that left, or whose flight was cancelled, while its callback ran synchronously.</summary>
    private Outcome<TResult> LetLeaderGo<TResult>(Flight<TResult> flight, ResilienceContext context)
    {
        var age = flight.Age;
        SingleFlightResult result;
        bool left, abandoned;
        lock (flight.Stripe.Gate)
        {
            (left, abandoned) = (flight.LeaderLeft, flight.LeaderAbandoned);
            flight.LeaderReturned = true;
            result = new SingleFlightResult(SingleFlightRole.Leader, flight.Joined, flight.Id, age);
        }

        context.Properties.Set(ContextProperties.Participation, result);
        if (SingleFlightInstruments.CountsExecutions)
        {
            Record(result);
        }

        if (abandoned)
        {
            Telemetry.Abandoned(context, flight);
        }

        return left
            ? Outcomes.Canceled<TResult>(context)
            : Outcome.FromException<TResult>(Telemetry.Rejection(new FlightCanceledException()));
    }

    private void End<TResult>(in Flown<TResult> flown)
    {
        flown.Flight.End();
        FlightContext.Return(flown.Context);
        SingleFlightInstruments.FlightEnded(flown.Flight, flown.Span, flown.IsCounted, _tags);
    }
}
