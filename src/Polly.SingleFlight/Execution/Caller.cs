using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Execution;

/// <summary>A follower with its own call, in case it has to make it after all.</summary>
internal sealed class Caller<TResult, TState>(ExecutionParts parts, Flight<TResult> flight, in Call<TResult, TState> call, long now)
    : Waiter<TResult>(flight, call.Context, now)
{
    private readonly Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> _callback = call.Callback;
    private readonly TState _state = call.State;
    private readonly FollowerSpan? _span = SingleFlightInstruments.BeginWait();

    public override FlightRules Rules => parts.Rules;

    /// <summary>
    /// Waits for the flight. The task handed out is the wait itself (S12); only an option callback that is still running puts a frame around it,
    /// since it uses the caller's context and must end before the caller returns (I6).
    /// </summary>
    public ValueTask<Outcome<TResult>> Follow(int callerCount)
    {
        try
        {
            Context.Properties.Set(ContextProperties.Participation, this);
            if (Context.Properties.TryGetValue(ContextProperties.Interceptor, out var interceptor)
                && interceptor?.Applies<TResult>(parts.Builder, Flight.Key) == true)
            {
                parts.Intercept(Flight).Add(interceptor);
                interceptor.NotifyFollowing();
            }
        }
        catch (Exception exception)
        {
            Leave(exception);
            return new(Task);
        }

        var joined = parts.Telemetry.Joined(Context, Flight, callerCount);
        Listen();
        if (!joined.IsCompletedSuccessfully)
        {
            return FollowAfterAsync(joined);
        }

        Ready();
        return new(Task);
    }

    protected override void OnRelease()
    {
        if (SingleFlightInstruments.CountsExecutions)
        {
            parts.Count(CreateResult());
        }

        if (_span is not null)
        {
            SingleFlightInstruments.WaitEnded(_span, Flight.Span);
        }

        Clear();
    }

    protected override void RunOwnCallback() => _ = RunOwnCallbackAsync();

    private async ValueTask<Outcome<TResult>> FollowAfterAsync(ValueTask joined)
    {
        var continueOnCapturedContext = Context.ContinueOnCapturedContext;
        await joined.ConfigureAwait(continueOnCapturedContext);
        Ready();
        return await Task.ConfigureAwait(continueOnCapturedContext);
    }

    private async Task RunOwnCallbackAsync()
    {
        var call = new Call<TResult, TState>(_callback, Context, _state);
        Outcome<TResult> outcome;
        if (AloneBecause is not { } reason)
        {
            outcome = await LeaderRun<TResult, TState>.LeadSuccessor(parts, Flight, call).Settle().ConfigureAwait(false);
        }
        else if (TryClaim())
        {
            outcome = await LoneRun.Execute(parts, reason, call).Settle().ConfigureAwait(false);
        }
        else
        {
            return;
        }

        Clear();
        SetResult(outcome);
    }

    /// <summary>Takes off the context what was meant for this execution, and would be found by a later one with the same context.</summary>
    private void Clear()
    {
        try
        {
            if (Context.Properties.TryGetValue(ContextProperties.Interceptor, out var inside) && inside is not null)
            {
                Context.Properties.Set(ContextProperties.Interceptor, null);
            }
        }
        catch (Exception)
        {
            // Properties that cannot be written were not written before.
        }
    }
}
