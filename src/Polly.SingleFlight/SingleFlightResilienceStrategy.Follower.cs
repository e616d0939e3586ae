using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight;

/// <summary>The follower's way, and that of callers who are not coalesced.</summary>
internal sealed partial class SingleFlightResilienceStrategy
{
    /// <summary>Runs the caller's own callback on its own context, for itself alone.</summary>
    public ValueTask<Outcome<TResult>> ExecuteAlone<TResult, TState>(
        BypassReason reason,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state,
        bool isWarning = false)
    {
        PassBy(context, reason);
        if (context.Properties.TryGetValue(ContextProperties.Inside, out var inside) && inside is not null)
        {
            // It was meant for this strategy, and not for one further inside.
            context.Properties.Set(ContextProperties.Inside, null);
        }

        if (context.CancellationToken.IsCancellationRequested)
        {
            return new(Outcomes.Canceled<TResult>(context));
        }

        isWarning |= reason == BypassReason.Reentrancy || (reason == BypassReason.NoKey && _keyUse.IsNeverKeyed());
        var bypassed = Telemetry.Bypassed(context, reason, isWarning);
        if (inside is not null && inside.Builder != _builder)
        {
            inside = null;
        }

        return bypassed.IsCompletedSuccessfully
            ? RunAlone(inside, callback, context, state)
            : RunAloneAfterAsync(bypassed, inside, callback, context, state);
    }

    private void PassBy(ResilienceContext context, BypassReason reason)
    {
        var result = SingleFlightResult.Bypassed(reason);
        context.Properties.Set(ContextProperties.Participation, result);
        if (SingleFlightInstruments.CountsExecutions)
        {
            Record(result);
        }
    }

    private async ValueTask<Outcome<TResult>> RunAloneAfterAsync<TResult, TState>(
        ValueTask reported,
        IInsideFlight? inside,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state)
    {
        await reported.ConfigureAwait(context.ContinueOnCapturedContext);
        return await RunAlone(inside, callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext);
    }

    private ValueTask<Outcome<TResult>> RunAlone<TResult, TState>(
        IInsideFlight? inside, Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        var scope = _sharing?.BeginAlone(context);
        return scope is null && inside is null
            ? Outcomes.InvokeAsync(callback, context, state)
            : RunAloneAsync(scope, inside, callback, context, state);
    }

    private static async ValueTask<Outcome<TResult>> RunAloneAsync<TResult, TState>(
        IDisposable? scope,
        IInsideFlight? inside,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state)
    {
        using (scope)
        {
            var outcome = await Outcomes.InvokeAsync(callback, context, state).Settle().ConfigureAwait(context.ContinueOnCapturedContext);
            if (inside is not null)
            {
                await inside.KeepAsync(context, outcome).ConfigureAwait(context.ContinueOnCapturedContext);
            }

            return outcome;
        }
    }

    /// <summary>
    /// Waits for the flight. The task handed out is the wait itself (S12); only an option callback that is still running
    /// puts a frame around it, since it uses the caller's context and must end before the caller returns (I6).
    /// </summary>
    private ValueTask<Outcome<TResult>> Follow<TResult>(Waiter<TResult> waiter, int callerCount)
    {
        try
        {
            waiter.Context.Properties.Set(ContextProperties.Participation, waiter);
        }
        catch (Exception exception)
        {
            waiter.Leave(exception);
            return new(waiter.Task);
        }

        var joined = Telemetry.Joined(waiter.Context, waiter.Flight, callerCount);
        waiter.Listen();
        if (!joined.IsCompletedSuccessfully)
        {
            return FollowAfterAsync(joined, waiter);
        }

        waiter.Ready();
        return new(waiter.Task);
    }

    private static async ValueTask<Outcome<TResult>> FollowAfterAsync<TResult>(ValueTask joined, Waiter<TResult> waiter)
    {
        var continueOnCapturedContext = waiter.Context.ContinueOnCapturedContext;
        await joined.ConfigureAwait(continueOnCapturedContext);
        waiter.Ready();
        return await waiter.Task.ConfigureAwait(continueOnCapturedContext);
    }
}
