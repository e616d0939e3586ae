using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Execution;

/// <summary>The execution of a caller that is not coalesced: it runs its own callback on its own context, for itself alone.</summary>
internal static class LoneRun
{
    /// <param name="parts">What the strategy works with.</param>
    /// <param name="reason">Why the caller runs alone.</param>
    /// <param name="call">The call.</param>
    /// <param name="isWarning">Whether somebody ought to hear of it.</param>
    public static ValueTask<Outcome<TResult>> Execute<TResult, TState>(
        ExecutionParts parts, BypassReason reason, in Call<TResult, TState> call, bool isWarning = false)
    {
        var context = call.Context;
        Mark(parts, reason, context);
        if (context.Properties.TryGetValue(ContextProperties.Inside, out var inside) && inside is not null)
        {
            // It was meant for this strategy, and not for one further inside.
            context.Properties.Set(ContextProperties.Inside, null);
            inside = inside.Builder == parts.Builder ? inside : null;
        }

        return Execute(parts, reason, inside, call, isWarning);
    }

    /// <summary>The same for a call without a key whose context had no property before.</summary>
    public static ValueTask<Outcome<TResult>> ExecuteBare<TResult, TState>(ExecutionParts parts, in Call<TResult, TState> call)
    {
        Mark(parts, BypassReason.NoKey, call.Context);
        return Execute(parts, BypassReason.NoKey, inside: null, call, isWarning: false);
    }

    private static ValueTask<Outcome<TResult>> Execute<TResult, TState>(
        ExecutionParts parts, BypassReason reason, IInsideFlight? inside, in Call<TResult, TState> call, bool isWarning)
    {
        var context = call.Context;
        if (context.CancellationToken.IsCancellationRequested)
        {
            return new(Outcomes.Canceled<TResult>(context));
        }

        isWarning |= reason == BypassReason.Reentrancy || (reason == BypassReason.NoKey && parts.KeyUse.IsNeverKeyed());
        var reported = parts.Telemetry.Bypassed(context, reason, isWarning);
        return reported.IsCompletedSuccessfully ? Run(parts, inside, call) : RunAfterAsync(reported, parts, inside, call);
    }

    /// <summary>Notes in the context, and counts, that its caller ran alone.</summary>
    public static void Mark(ExecutionParts parts, BypassReason reason, ResilienceContext context)
    {
        var result = SingleFlightResult.Bypassed(reason);
        context.Properties.Set(ContextProperties.Participation, result);
        if (SingleFlightInstruments.CountsExecutions)
        {
            parts.Count(result);
        }
    }

    private static async ValueTask<Outcome<TResult>> RunAfterAsync<TResult, TState>(
        ValueTask reported, ExecutionParts parts, IInsideFlight? inside, Call<TResult, TState> call)
    {
        await reported.ConfigureAwait(call.Context.ContinueOnCapturedContext);
        return await Run(parts, inside, call).ConfigureAwait(call.Context.ContinueOnCapturedContext);
    }

    private static ValueTask<Outcome<TResult>> Run<TResult, TState>(ExecutionParts parts, IInsideFlight? inside, in Call<TResult, TState> call)
    {
        var scope = parts.Sharing?.BeginAlone(call.Context);
        return scope is null && inside is null ? call.RunAsync() : RunAsync(scope, inside, call);
    }

    private static async ValueTask<Outcome<TResult>> RunAsync<TResult, TState>(IDisposable? scope, IInsideFlight? inside, Call<TResult, TState> call)
    {
        using (scope)
        {
            var outcome = await call.RunAsync().Settle().ConfigureAwait(call.Context.ContinueOnCapturedContext);
            if (inside is not null)
            {
                await inside.KeepAsync(call.Context, outcome).ConfigureAwait(call.Context.ContinueOnCapturedContext);
            }

            return outcome;
        }
    }
}
