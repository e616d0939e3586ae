using Polly.SingleFlight.Flights;
using Polly.Telemetry;

namespace Polly.SingleFlight.Telemetry;

/// <summary>
/// Everything a strategy reports: Polly events without outcome and without key, and the option callbacks of the same name.
/// Nothing here throws; what a listener or a callback throws fails nobody's execution.
/// </summary>
internal sealed class FlightTelemetry(ResilienceStrategyTelemetry telemetry, SingleFlightStrategyOptions options)
{
    private static readonly ResilienceEvent s_started = new(ResilienceEventSeverity.Debug, "OnFlightStarted");
    private static readonly ResilienceEvent s_joined = new(ResilienceEventSeverity.Debug, "OnFlightJoined");
    private static readonly ResilienceEvent s_completed = new(ResilienceEventSeverity.Debug, "OnFlightCompleted");
    private static readonly ResilienceEvent s_abandoned = new(ResilienceEventSeverity.Information, "OnFlightAbandoned");
    private static readonly ResilienceEvent s_bypassed = new(ResilienceEventSeverity.Debug, "OnFlightBypassed");
    private static readonly ResilienceEvent s_bypassedAgainstWish = new(ResilienceEventSeverity.Warning, "OnFlightBypassed");
    private static readonly ResilienceEvent s_responseUnshared = new(ResilienceEventSeverity.Warning, "OnResponseUnshared");
    private static readonly ResilienceEvent s_identityGuard = new(ResilienceEventSeverity.Warning, "OnIdentityGuard");
    private static readonly ResilienceEvent s_callbackFailed = new(ResilienceEventSeverity.Error, "OnFlightCallbackFailed");

    private readonly Func<OnFlightStartedArguments, ValueTask>? _onStarted = options.OnFlightStarted;
    private readonly Func<OnFlightJoinedArguments, ValueTask>? _onJoined = options.OnFlightJoined;
    private readonly Func<OnFlightCompletedArguments, ValueTask>? _onCompleted = options.OnFlightCompleted;
    private readonly Func<OnFlightAbandonedArguments, ValueTask>? _onAbandoned = options.OnFlightAbandoned;
    private readonly Func<OnFlightBypassedArguments, ValueTask>? _onBypassed = options.OnFlightBypassed;

    public bool HasStartedCallback => _onStarted is not null;

    public ValueTask Started(ResilienceContext context, Flight flight, int callerCount) =>
        Raise(s_started, context, new OnFlightStartedArguments(context, flight.Id, callerCount), _onStarted);

    public ValueTask Joined(ResilienceContext context, Flight flight, int callerCount) =>
        Raise(s_joined, context, new OnFlightJoinedArguments(context, flight.Id, callerCount), _onJoined);

    public ValueTask Completed(ResilienceContext context, Flight flight) =>
        Raise(s_completed, context, new OnFlightCompletedArguments(context, flight.Id, flight.Joined), _onCompleted);

    /// <summary>
    /// The callback is not awaited, because it runs on the stack of whoever cancelled the last caller. What it throws later
    /// is reported on a context of its own, since the caller's has gone back to its pool by then (I6).
    /// </summary>
    public void Abandoned(ResilienceContext context, Flight flight)
    {
        var args = new OnFlightAbandonedArguments(context, flight.Id, flight.Joined);
        Report(s_abandoned, context, args);
        if (_onAbandoned is null)
        {
            return;
        }

        try
        {
            var pending = _onAbandoned(args);
            _ = pending.IsCompletedSuccessfully ? Task.CompletedTask : ForgetAsync(pending, s_abandoned.EventName);
        }
        catch (Exception exception)
        {
            CallbackFailed(context, s_abandoned.EventName, exception);
        }
    }

    /// <summary>An execution was not coalesced: Debug, or a Warning where somebody ought to hear of it.</summary>
    public ValueTask Bypassed(ResilienceContext context, BypassReason reason, bool isWarning) =>
        Raise(
            isWarning ? s_bypassedAgainstWish : s_bypassed,
            context,
            new OnFlightBypassedArguments(context, reason),
            _onBypassed);

    /// <summary>A response was kept from the followers of its flight; the reason is a fixed word.</summary>
    public void ResponseUnshared<TReason>(ResilienceContext context, TReason reason)
        where TReason : struct, Enum
        => Report(s_responseUnshared, context, reason);

    /// <summary>A request went out with something that was not in its key; what it was, a header by its name, is reported, never a value.</summary>
    public void IdentityGuard(ResilienceContext context, string addition) =>
        Report(s_identityGuard, context, new IdentityGuardArguments(addition));

    /// <summary>Reports a callback of the options whose exception no caller receives; its message might quote a key or a result.</summary>
    public void CallbackFailed(ResilienceContext context, string callback, Exception exception)
    {
        try
        {
            telemetry.Report(s_callbackFailed, context, new CallbackFailedArguments(callback, exception.GetType().FullName));
        }
        catch (Exception)
        {
            // A listener that throws has nobody left to hear of it.
        }
    }

    /// <summary>Marks an exception as coming from this strategy.</summary>
    public TException Rejection<TException>(TException exception)
        where TException : ExecutionRejectedException
    {
        telemetry.SetTelemetrySource(exception);
        return exception;
    }

    private ValueTask Raise<TArgs>(in ResilienceEvent @event, ResilienceContext context, in TArgs args, Func<TArgs, ValueTask>? callback)
        where TArgs : struct
    {
        Report(@event, context, args);
        return callback is null ? default : InvokeAsync(@event, context, args, callback);
    }

    private void Report<TArgs>(in ResilienceEvent @event, ResilienceContext context, in TArgs args)
    {
        try
        {
            telemetry.Report(@event, context, args);
        }
        catch (Exception)
        {
            // As in CallbackFailed.
        }
    }

    private async Task ForgetAsync(ValueTask pending, string callback)
    {
        try
        {
            await pending.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            var context = ResilienceContextPool.Shared.Get();
            CallbackFailed(context, callback, exception);
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async ValueTask InvokeAsync<TArgs>(
        ResilienceEvent @event, ResilienceContext context, TArgs args, Func<TArgs, ValueTask> callback)
    {
        try
        {
            await callback(args).ConfigureAwait(context.ContinueOnCapturedContext);
        }
        catch (Exception exception)
        {
            CallbackFailed(context, @event.EventName, exception);
        }
    }
}
