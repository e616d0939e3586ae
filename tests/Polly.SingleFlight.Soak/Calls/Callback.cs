namespace Polly.SingleFlight.Soak;

/// <summary>The callback of a call, for every shape a callback can have.</summary>
internal static class Callback<TResult, TKind>
    where TKind : IResultKind<TResult>
{
    public static ValueTask<Outcome<TResult>> RunAsync(ResilienceContext context, Call call)
    {
        var execution = CallbackRules.Begin(context, call);
        if (call.Plan.OwnToken == OwnToken.CanceledByCallback)
        {
            CancellationBoard.Cancel(call.World, call.Source!);
        }

        if (call.Plan is { Yields: 0, NestedCalls: 0, Fault: Fault.Thrown })
        {
            CallbackRules.End(context, execution);
            throw new SoakException(execution, Fault.Thrown);
        }

        return RunAsync(context, execution);
    }

    public static async ValueTask<TResult> RunThrowingAsync(ResilienceContext context, Call call)
    {
        var outcome = await RunAsync(context, call).ConfigureAwait(context.ContinueOnCapturedContext);
        outcome.ThrowIfException();
        return outcome.Result!;
    }

    public static async ValueTask RunVoidAsync(ResilienceContext context, Call call) =>
        await RunThrowingAsync(context, call).ConfigureAwait(context.ContinueOnCapturedContext);

    public static TResult RunBlocking(ResilienceContext context, Call call)
    {
        var execution = CallbackRules.Begin(context, call);
        if (call.Plan.OwnToken == OwnToken.CanceledByCallback)
        {
            CancellationBoard.Cancel(call.World, call.Source!);
        }

        for (var i = 0; i < call.Plan.Yields; i++)
        {
            Thread.Yield();
        }

        for (var i = 0; i < call.Plan.NestedCalls; i++)
        {
            call.Worker.CallNestedAsync(call, context).AsTask().GetAwaiter().GetResult();
        }

        var outcome = Finish(context, execution);
        outcome.ThrowIfException();
        return outcome.Result!;
    }

    public static void RunVoidBlocking(ResilienceContext context, Call call) => RunBlocking(context, call);

    private static async ValueTask<Outcome<TResult>> RunAsync(ResilienceContext context, Execution execution)
    {
        var call = execution.Call;
        var token = context.CancellationToken;
        using var registration = call.Plan.Registers && !execution.IsAlone ? CallbackRules.Register(token, call) : default;
        if (call.Plan.Waits)
        {
            await CallbackRules.UntilCanceledAsync(token);
        }

        for (var i = 0; i < call.Plan.Yields; i++)
        {
            await Task.Yield();
            if (!call.Plan.IgnoresCancellation && token.IsCancellationRequested)
            {
                return Fail(context, execution, Fault.FlightToken, token);
            }
        }

        CallbackRules.CheckContext(context, execution, "in the middle");
        for (var i = 0; i < call.Plan.NestedCalls; i++)
        {
            await call.Worker.CallNestedAsync(call, context);
        }

        return Finish(context, execution);
    }

    private static Outcome<TResult> Finish(ResilienceContext context, Execution execution)
    {
        var call = execution.Call;
        switch (call.Plan.Fault)
        {
            case Fault.Thrown:
                CallbackRules.End(context, execution);
                throw new SoakException(execution, Fault.Thrown);
            case Fault.Returned:
                CallbackRules.End(context, execution);
                return Outcome.FromException<TResult>(new SoakException(execution, Fault.Returned));
            case Fault.InnerCancellation:
                return Fail(context, execution, Fault.InnerCancellation, default);
            case Fault.LeaderToken when call.Token.IsCancellationRequested:
                return (execution.StartSequence & 1) == 0
                    ? Fail(context, execution, Fault.LeaderToken, call.Token)
                    : FailOtherwise(context, execution, Fault.LeaderToken, call.Token);
            default:
                var result = TKind.Create(execution);
                CallbackRules.End(context, execution);
                return Outcome.FromResult(result);
        }
    }

    /// <summary>Fails with an exception that is no cancellation, but has one inside.</summary>
    private static Outcome<TResult> FailOtherwise(ResilienceContext context, Execution execution, Fault fault, CancellationToken token)
    {
        CallbackRules.End(context, execution);
        return Outcome.FromException<TResult>(new SoakException(execution, fault, new OperationCanceledException(token)));
    }

    private static Outcome<TResult> Fail(ResilienceContext context, Execution execution, Fault fault, CancellationToken token)
    {
        CallbackRules.End(context, execution);
        return Outcome.FromException<TResult>(new SoakCanceledException(execution, fault, token));
    }
}
