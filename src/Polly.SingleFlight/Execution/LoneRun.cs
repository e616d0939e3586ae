using System.Runtime.CompilerServices;
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
        InterceptedFlight? intercepted = null;
        if (context.Properties.TryGetValue(ContextProperties.Interceptor, out var interceptor) && interceptor is not null)
        {
            // It was meant for this strategy, and not for one further inside.
            context.Properties.Set(ContextProperties.Interceptor, null);
            if (interceptor.Applies<TResult>(parts.Builder, null))
            {
                intercepted = new InterceptedFlight(null, parts.Sharing, mayKeep: reason is BypassReason.NoKey or BypassReason.Unshared or BypassReason.Limit);
                intercepted.Add(interceptor);
            }
        }

        return Execute(parts, reason, intercepted, call, isWarning);
    }

    /// <summary>
    /// The same for a call without a key, nor any other property, whose token has not fired: what a call costs that does not use the strategy.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)] // Inlined, it would copy what the callback returns.
    public static ValueTask<Outcome<TResult>> ExecuteBare<TResult, TState>(ExecutionParts parts, in Call<TResult, TState> call)
    {
        Mark(parts, BypassReason.NoKey, call.Context);
        var reported = parts.Telemetry.Bypassed(call.Context, BypassReason.NoKey, parts.KeyUse.IsNeverKeyed());
        if (!reported.IsCompletedSuccessfully)
        {
            return RunAfterAsync(reported, parts, intercepted: null, call);
        }

        // What the callback throws goes its way, as it would without the strategy.
        return call.Callback(call.Context, call.State);
    }

    private static ValueTask<Outcome<TResult>> Execute<TResult, TState>(
        ExecutionParts parts, BypassReason reason, InterceptedFlight? intercepted, in Call<TResult, TState> call, bool isWarning)
    {
        var context = call.Context;
        if (context.CancellationToken.IsCancellationRequested)
        {
            return new(Outcomes.Canceled<TResult>(context));
        }

        isWarning |= reason == BypassReason.Reentrancy || (reason == BypassReason.NoKey && parts.KeyUse.IsNeverKeyed());
        var reported = parts.Telemetry.Bypassed(context, reason, isWarning);
        return reported.IsCompletedSuccessfully ? Run(parts, intercepted, call) : RunAfterAsync(reported, parts, intercepted, call);
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
        ValueTask reported, ExecutionParts parts, InterceptedFlight? intercepted, Call<TResult, TState> call)
    {
        await reported.ConfigureAwait(call.Context.ContinueOnCapturedContext);
        return await Run(parts, intercepted, call).ConfigureAwait(call.Context.ContinueOnCapturedContext);
    }

    private static ValueTask<Outcome<TResult>> Run<TResult, TState>(ExecutionParts parts, InterceptedFlight? intercepted, in Call<TResult, TState> call)
    {
        var scope = parts.Sharing?.BeginAlone(call.Context);
        return scope is null && intercepted is null ? call.RunAsync() : RunAsync(scope, intercepted, call);
    }

    private static async ValueTask<Outcome<TResult>> RunAsync<TResult, TState>(IDisposable? scope, InterceptedFlight? intercepted, Call<TResult, TState> call)
    {
        using (scope)
        {
            var outcome = await call.RunAsync().Settle().ConfigureAwait(call.Context.ContinueOnCapturedContext);
            if (intercepted is not null)
            {
                await intercepted.AfterCallbackAsync(call.Context, outcome).ConfigureAwait(call.Context.ContinueOnCapturedContext);
                intercepted.OnLanded();
            }

            return outcome;
        }
    }
}
