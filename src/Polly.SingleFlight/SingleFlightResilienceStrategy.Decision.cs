using Polly.SingleFlight.Sharing;

namespace Polly.SingleFlight;

/// <summary>The way of callers whose kind of result says what they are coalesced by.</summary>
internal sealed partial class SingleFlightResilienceStrategy
{
    /// <summary>Whether an exception is due to what the leader took away when it left (S8).</summary>
    public bool IsLossOfLeader(Exception exception) => _sharing?.IsLossOfLeader(exception) == true;

    private ValueTask<Outcome<TResult>> ExecuteByDecision<TResult, TState>(
        ResultSharing sharing, Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        if (context.CancellationToken.IsCancellationRequested)
        {
            return new(Reject<TResult>(context));
        }

        try
        {
            var decision = sharing.FindKeyAsync<TResult>(context);
            return decision.IsCompletedSuccessfully
                ? ActOn(decision.Result, callback, context, state)
                : ExecuteByDecisionAsync(decision, callback, context, state);
        }
        catch (Exception exception)
        {
            return new(Reject<TResult>(context, exception));
        }
    }

    private async ValueTask<Outcome<TResult>> ExecuteByDecisionAsync<TResult, TState>(
        ValueTask<KeyDecision> pending,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state)
    {
        KeyDecision decision;
        try
        {
            decision = await pending.ConfigureAwait(context.ContinueOnCapturedContext);
        }
        catch (Exception exception)
        {
            return Reject<TResult>(context, exception);
        }

        return await ActOn(decision, callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext);
    }

    private ValueTask<Outcome<TResult>> ActOn<TResult, TState>(
        in KeyDecision decision, Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        if (decision.Key is not (null or ""))
        {
            return Execute(decision.Key, decision.Attachment, callback, context, state);
        }

        return ExecuteAlone(decision.Bypass, callback, context, state, decision.IsWarning);
    }
}
