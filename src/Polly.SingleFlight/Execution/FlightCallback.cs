using System.Diagnostics;
using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Execution;

/// <summary>Step 2 of <see cref="LeaderRun{TResult, TState}"/>: runs the callback, on the flight's own context.</summary>
internal static class FlightCallback<TResult, TState>
{
    /// <summary>
    /// Runs the synchronous part of the callback under the leader's execution context, with the flight as the current one for everything
    /// that the callback starts, and leaves the leader's own flow as the callback left it.
    /// </summary>
    public static ValueTask<Outcome<TResult>> Invoke(
        in RunningFlight<TResult> running, FlightInterceptor? inside, in Call<TResult, TState> call)
    {
        var flight = running.Flight;
        var detects = flight.Rules.DetectReentrancy;
        var scope = detects ? WaitGraph.Enter(flight) : default;
        ValueTask<Outcome<TResult>> pending;
        try
        {
            if (inside is null)
            {
                pending = call.RunOnAsync(running.Context);
            }
            else
            {
                pending = InvokeAsync(running.Parts.Intercept(flight), inside, call, running.Context);
            }

            // A task of a source that is not, or no more, the callback's throws when it is asked. Here that is an outcome, further on it would leave the flight behind.
            _ = pending.IsCompleted;
        }
        catch (Exception exception)
        {
            pending = Outcome.FromExceptionAsValueTask<TResult>(exception);
        }

        if (flight.OwnSpan is { } span)
        {
            Activity.Current = span.Parent;
        }

        if (detects)
        {
            scope.Leave();
        }

        return pending;
    }

    /// <summary>Runs the callback unless a strategy outside has an outcome in its place.</summary>
    private static async ValueTask<Outcome<TResult>> InvokeAsync(
        InterceptedFlight intercepted, FlightInterceptor inside, Call<TResult, TState> call, ResilienceContext context)
    {
        return await intercepted.BeforeCallbackAsync<TResult>(inside, context).ConfigureAwait(context.ContinueOnCapturedContext)
            ?? await call.RunOnAsync(context).ConfigureAwait(context.ContinueOnCapturedContext);
    }
}
