using Polly.SingleFlight.Execution;
using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;
using Polly.Telemetry;

namespace Polly.SingleFlight;

/// <summary>
/// The strategy: finds the caller's key, and lets it lead (<see cref="LeaderRun{TResult, TState}"/>), follow (<see cref="Caller{TResult, TState}"/>)
/// or run alone (<see cref="LoneRun"/>).
/// </summary>
internal sealed class SingleFlightResilienceStrategy : ResilienceStrategy
{
    private readonly ExecutionParts _parts;
    private readonly Func<SingleFlightKeyGeneratorArguments, ValueTask<object?>> _keyGenerator;

    /// <summary>Whether keys come from elsewhere than the context.</summary>
    private readonly bool _looksForKey;

    public SingleFlightResilienceStrategy(
        SingleFlightStrategyOptions options, Type? resultType, ResilienceStrategyTelemetry telemetry, ResiliencePipelineBuilderBase builder)
    {
        _parts = new ExecutionParts(options, resultType, telemetry, builder);
        _keyGenerator = options.KeyGenerator;
        _looksForKey = _parts.Sharing is { FindsKeys: true } || options.KeyGenerator != SingleFlightStrategyOptions.KeyFromContext;
    }

    protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        var call = new Call<TResult, TState>(callback, context, state);
        if (_looksForKey)
        {
            return FindKeyAndExecute(call);
        }

        // A context without a property has no key, and nothing else that could be found by its name.
        if (_parts.Sharing is null && FlightContext.EntriesOf(context).Count == 0 && !context.CancellationToken.IsCancellationRequested)
        {
            return LoneRun.ExecuteBare(_parts, call);
        }

        return Execute(context.GetSingleFlightKey(), null, call);
    }

    private ValueTask<Outcome<TResult>> FindKeyAndExecute<TResult, TState>(in Call<TResult, TState> call)
    {
        if (call.Context.CancellationToken.IsCancellationRequested)
        {
            return new(Outcomes.Reject<TResult>(call.Context));
        }

        try
        {
            var decision = FindKeyAsync<TResult>(call.Context);
            return decision.IsCompletedSuccessfully ? Execute(decision.Result, call) : ExecuteAsync(decision, call);
        }
        catch (Exception exception)
        {
            return new(Outcomes.Reject<TResult>(call.Context, exception));
        }
    }

    private ValueTask<KeyDecision> FindKeyAsync<TResult>(ResilienceContext context)
    {
        if (_parts.Sharing is { FindsKeys: true } sharing)
        {
            return sharing.FindKeyAsync<TResult>(context);
        }

        var key = _keyGenerator(new SingleFlightKeyGeneratorArguments(context));
        return key.IsCompletedSuccessfully ? new(KeyDecision.Coalesce(key.Result)) : AwaitAsync(key, context);

        static async ValueTask<KeyDecision> AwaitAsync(ValueTask<object?> key, ResilienceContext context) =>
            KeyDecision.Coalesce(await key.ConfigureAwait(context.ContinueOnCapturedContext));
    }

    private async ValueTask<Outcome<TResult>> ExecuteAsync<TResult, TState>(ValueTask<KeyDecision> pending, Call<TResult, TState> call)
    {
        KeyDecision decision;
        try
        {
            decision = await pending.ConfigureAwait(call.Context.ContinueOnCapturedContext);
        }
        catch (Exception exception)
        {
            return Outcomes.Reject<TResult>(call.Context, exception);
        }

        return await Execute(decision, call).ConfigureAwait(call.Context.ContinueOnCapturedContext);
    }

    private ValueTask<Outcome<TResult>> Execute<TResult, TState>(in KeyDecision decision, in Call<TResult, TState> call) =>
        decision.Key is null or "" && !call.Context.CancellationToken.IsCancellationRequested
            ? LoneRun.Execute(_parts, decision.Bypass, call, decision.IsWarning)
            : Execute(decision.Key, decision.Attachment, call);

    private ValueTask<Outcome<TResult>> Execute<TResult, TState>(object? key, Attachment? attachment, in Call<TResult, TState> call)
    {
        if (call.Context.CancellationToken.IsCancellationRequested)
        {
            return new(Outcomes.Reject<TResult>(call.Context));
        }

        if (key is null or "")
        {
            return LoneRun.Execute(_parts, BypassReason.NoKey, call);
        }

        _parts.KeyUse.Keyed();
        if (ResultOwnership<TResult>.IsExclusive && _parts.Sharing is not { MakesCopies: true })
        {
            return new(Outcomes.Reject<TResult>(call.Context, ResultOwnership.CannotShare(typeof(TResult))));
        }

        Flight<TResult>? flight;
        Waiter<TResult>? follower;
        int callerCount;
        try
        {
            (flight, follower, callerCount) = Admission<TResult>.Admit(_parts, key, attachment, call);
        }
        catch (Exception exception)
        {
            // The comparer or the clock threw; nothing was changed by then.
            return new(Outcomes.Reject<TResult>(call.Context, exception));
        }

        // No conditional expression: it would copy what a branch returns.
        if (follower is not null)
        {
            return ((Caller<TResult, TState>)follower).Follow(callerCount);
        }

        if (flight is not null)
        {
            return LeaderRun<TResult, TState>.Lead(_parts, flight, call);
        }

        return LoneRun.Execute(_parts, BypassReason.Reentrancy, call);
    }
}
