using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Execution;

/// <summary>A flight whose callback was started, and how it ends: steps 4 to 6 of <see cref="LeaderRun{TResult, TState}"/>.</summary>
/// <param name="Parts">What the strategy works with.</param>
/// <param name="Flight">The flight.</param>
/// <param name="Context">The flight's own context.</param>
internal readonly record struct RunningFlight<TResult>(ExecutionParts Parts, Flight<TResult> Flight, ResilienceContext Context)
{
    /// <summary>How long a cancellation may take from a token that the callback captured to the leader's that is linked to it.</summary>
    private static readonly TimeSpan s_cancellationGrace = TimeSpan.FromMilliseconds(20);

    /// <summary>The time by the flight's clock.</summary>
    private long Now => Flight.Rules.Clock.Now;

    /// <summary>Makes the flight's own context, and opens its span.</summary>
    /// <param name="parts">What the strategy works with.</param>
    /// <param name="flight">The flight.</param>
    /// <param name="leader">The context of the leader.</param>
    /// <param name="inside">What a strategy outside wants done inside the flight; null if none does.</param>
    public static RunningFlight<TResult> Begin(ExecutionParts parts, Flight<TResult> flight, ResilienceContext leader, out FlightInterceptor? inside)
    {
        var context = FlightContext.Rent(leader, flight, out inside);
        if (inside?.Applies<TResult>(parts.Builder, flight.Key) == true)
        {
            parts.Intercept(flight).AddLeaders(inside);
        }
        else
        {
            inside = null;
        }

        parts.Sharing?.PrepareContext(flight.Attachment, context);
        FlightSpans.StartFlight(flight, parts.Tags);
        SingleFlightInstruments.FlightStarted(flight, parts.Tags);
        return new(parts, flight, context);
    }

    /// <summary>Whether an outcome has to be made ready before followers can have it.</summary>
    public bool NeedsPreparation(in Outcome<TResult> outcome) => Parts.Sharing is { Prepares: true } && outcome.Exception is null;

    /// <summary>Step 4 and the rest, for a callback that yielded. Does not throw.</summary>
    public async Task LandAsync(ValueTask<Outcome<TResult>> pending, CancellationToken leaderToken)
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

        if (Flight.Interception is { } interception)
        {
            // Until the flight lands newcomers join it, so none of them starts another before the work is done.
            await interception.AfterCallbackAsync(Context, outcome).ConfigureAwait(false);
        }

        if (Flight.MayTurnOutForeign(outcome.Exception, leaderToken) && Flight.WhenLeaderLeaves() is { } left)
        {
            await Task.WhenAny(left, Task.Delay(s_cancellationGrace, CancellationToken.None)).ConfigureAwait(false);
        }

        var landing = Flight.Land(outcome, Now, NeedsPreparation(outcome), leaderToken, servesFirst: true);
        if (landing.IsDeferred)
        {
            if (Parts.Rules.DetectReentrancy)
            {
                // Reading a body runs foreign code, whose flight this is (S11).
                WaitGraph.Enter(Flight);
            }

            outcome = await Parts.Sharing!.PrepareAsync(Flight.Attachment, outcome, Flight.Token).ConfigureAwait(false);
            landing = Flight.Land(outcome, Now, unlessFollowed: false, leaderToken, servesFirst: true);
        }

        Flight.Interception?.OnLanded();
        await ServeAsync(landing, outcome).ConfigureAwait(false);
    }

    /// <summary>Step 5, with a leader that has a wait of its own, or has left. Does not throw.</summary>
    public async Task ServeAsync(Landing<TResult> landing, Outcome<TResult> outcome)
    {
        landing.Election.Act();
        if (landing.Followers is not null && Parts.Sharing is not null)
        {
            if (Parts.Rules.DetectReentrancy)
            {
                // The predicate and the cloner run on behalf of the flight, whose followers still wait (S11).
                WaitGraph.Enter(Flight);
            }

            await FollowerService.ServeAsync(Parts.Sharing, Flight, Context, landing, outcome).ConfigureAwait(false);
        }
        else
        {
            FollowerService.Publish(landing.Followers, outcome, landing.Now);
        }

        await ServeLeaderAsync(landing, outcome).ConfigureAwait(false);
    }

    /// <summary>Step 5 when the followers have been served, and step 6. Does not throw.</summary>
    public Task ServeLeaderAsync(in Landing<TResult> landing, in Outcome<TResult> outcome)
    {
        if ((landing.Leader ?? Flight.TakeLeader()) is not YieldedRun<TResult> leader)
        {
            return EndWithoutLeaderAsync(landing, outcome);
        }

        var own = LeaderOutcome.TryReplace(this, outcome, leader.Context, out var replaced) ? replaced : outcome;
        var completed = Parts.Telemetry.Completed(leader.Context, Flight);
        if (!completed.IsCompletedSuccessfully)
        {
            return ReleaseAfterAsync(completed, leader, own, outcome.Exception);
        }

        End(outcome.Exception);
        leader.Release(own);
        return Task.CompletedTask;
    }

    private async Task ReleaseAfterAsync(ValueTask completed, YieldedRun<TResult> leader, Outcome<TResult> own, Exception? failure)
    {
        await completed.ConfigureAwait(false);
        End(failure);
        leader.Release(own);
    }

    private async Task EndWithoutLeaderAsync(Landing<TResult> landing, Outcome<TResult> outcome)
    {
        if (!landing.TooLate)
        {
            await Parts.Telemetry.Completed(Context, Flight).ConfigureAwait(false);
        }

        End(outcome.Exception, hasLanded: !landing.TooLate);
        await ResultOwnership<TResult>.DisposeUnreceivedAsync(outcome).ConfigureAwait(false);
    }

    /// <summary>Step 5, for a leader that is on its way out; not on its stack where that would call foreign code.</summary>
    public void ServeWithoutLeader(in Landing<TResult> landing, in Outcome<TResult> outcome)
    {
        if (Parts.Sharing is null || landing.Followers is null)
        {
            _ = ServeAsync(landing, outcome);
            return;
        }

        ThreadPool.UnsafeQueueUserWorkItem(
            static work => _ = work.Running.ServeAsync(work.Landing, work.Outcome),
            (Running: this, Landing: landing, Outcome: outcome),
            preferLocal: false);
    }

    /// <summary>Steps 5 and 6, for a leader that is still on its thread when the followers have been served.</summary>
    public ValueTask<Outcome<TResult>> Return(in Outcome<TResult> outcome, ResilienceContext leader)
    {
        var replaced = LeaderOutcome.TryReplace(this, outcome, leader, out var own);
        End(outcome.Exception);
        if (SingleFlightInstruments.CountsExecutions)
        {
            Parts.Count(Flight.CreateLeaderResult());
        }

        var completed = Parts.Telemetry.Completed(leader, Flight);
        if (!completed.IsCompletedSuccessfully)
        {
            return ReturnAfterAsync(completed, replaced ? own : outcome, leader);
        }

        if (replaced)
        {
            return new(own);
        }

        return new(outcome);
    }

    private static async ValueTask<Outcome<TResult>> ReturnAfterAsync(ValueTask completed, Outcome<TResult> outcome, ResilienceContext leader)
    {
        await completed.ConfigureAwait(leader.ContinueOnCapturedContext);
        return outcome;
    }

    /// <summary>Step 6.</summary>
    private void End(Exception? failure, bool hasLanded = true)
    {
        FlightContext.Return(Context, Flight);
        Flight.End();
        SingleFlightInstruments.FlightEnded(Flight, Parts.Tags, failure, hasLanded);
    }
}
