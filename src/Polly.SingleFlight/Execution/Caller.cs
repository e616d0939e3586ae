using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Execution;

/// <summary>A follower with its own call, in case it has to make it after all.</summary>
internal sealed class Caller<TResult, TState>(ExecutionParts parts, Flight<TResult> flight, in Call<TResult, TState> call, long now)
    : Waiter<TResult>(flight, call.Context, now)
{
    private readonly Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> _callback = call.Callback;
    private readonly TState _state = call.State;

    /// <summary>Null for most followers, so that these are smaller.</summary>
    private FollowerExtras? _extras = FollowerExtras.Of(FlightSpans.BeginWait());

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
            if (Context.Properties.TryGetValue(ContextProperties.Interceptor, out var interceptor) && interceptor is not null)
            {
                TakeOff(interceptor);
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

    protected override void OnRelease(Exception? failure, bool hasLeft)
    {
        if (SingleFlightInstruments.CountsExecutions)
        {
            parts.Count(CreateResult());
        }

        EndWait(hasLeft ? WaitEnd.Left : WaitEnd.Served, failure);
    }

    protected override void RunOwnCallback() => _ = RunOwnCallbackAsync();

    private void EndWait(WaitEnd end, Exception? failure = null)
    {
        if (_extras?.Span is { } span)
        {
            FlightSpans.EndWait(span, Flight.Span, parts.Tags, end, failure);
        }
    }

    /// <summary>
    /// Takes the interceptor off the context, where a later execution would find it. The caller does that itself: whoever lets it go may come before it has
    /// finished setting up.
    /// </summary>
    private void TakeOff(FlightInterceptor interceptor)
    {
        (_extras ??= new()).Interceptor = interceptor;
        Context.Properties.Set(ContextProperties.Interceptor, null);
        if (interceptor.Applies<TResult>(parts.Builder, Flight.Key))
        {
            interceptor.NotifyFollowing();
            parts.Intercept(Flight).AddFollowers(interceptor);
        }
    }

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
            EndWait(WaitEnd.Elected);
            SetInterceptor(_extras?.Interceptor);
            outcome = await LeaderRun<TResult, TState>.LeadSuccessor(parts, Flight, call).Settle().ConfigureAwait(false);
        }
        else if (TryClaim())
        {
            EndWait(WaitEnd.Alone);
            SetInterceptor(_extras?.Interceptor);
            outcome = await LoneRun.Execute(parts, reason, call).Settle().ConfigureAwait(false);
        }
        else
        {
            return;
        }

        SetInterceptor(null);
        SetResult(outcome);
    }

    /// <summary>Sets the interceptor of a caller that has to make its call after all, and takes it off again.</summary>
    private void SetInterceptor(FlightInterceptor? interceptor)
    {
        if (_extras?.Interceptor is null)
        {
            return;
        }

        try
        {
            Context.Properties.Set(ContextProperties.Interceptor, interceptor);
        }
        catch (Exception)
        {
            // Properties that cannot be written cost the strategy outside its work, and keep the caller from nothing else.
        }
    }
}
