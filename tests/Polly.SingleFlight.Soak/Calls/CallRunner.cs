namespace Polly.SingleFlight.Soak;

/// <summary>What a caller was given: a result of some execution, or an exception.</summary>
internal readonly record struct Receipt(Execution? Execution, Exception? Exception, Lease? Lease);

/// <summary>Makes a call through the pipeline in every way the pipeline can be called.</summary>
internal static class CallRunner
{
    public static ValueTask<Receipt> RunAsync(Call call) => call.Kind switch
    {
        ResultKind.Number => CallRunner<int, NumberKind>.RunAsync(call),
        ResultKind.Text => CallRunner<string, TextKind>.RunAsync(call),
        ResultKind.Receipt => CallRunner<Execution, ReceiptKind>.RunAsync(call),
        ResultKind.Lease => CallRunner<Lease, LeaseKind>.RunAsync(call),
        _ => RunVoidAsync(call),
    };

    private static async ValueTask<Receipt> RunVoidAsync(Call call)
    {
        var pipeline = (ResiliencePipeline)call.Lane.Pipeline;
        try
        {
            if (call.Plan.Api == Api.Sync && call.World.TryBeginBlocking())
            {
                try
                {
                    pipeline.Execute(Callback<Execution, ReceiptKind>.RunVoidBlocking, call.Context, call);
                }
                finally
                {
                    call.World.EndBlocking();
                }
            }
            else
            {
                await pipeline.ExecuteAsync(Callback<Execution, ReceiptKind>.RunVoidAsync, call.Context, call);
            }

            return default;
        }
        catch (Exception exception)
        {
            return new Receipt(null, exception, null);
        }
    }
}

/// <inheritdoc cref="CallRunner"/>
internal static class CallRunner<TResult, TKind>
    where TKind : IResultKind<TResult>
{
    public static async ValueTask<Receipt> RunAsync(Call call)
    {
        Outcome<TResult> outcome;
        try
        {
            outcome = call.Plan.Api == Api.Outcome
                ? await RunOutcomeAsync(call)
                : Outcome.FromResult(await RunThrowingAsync(call));
        }
        catch (Exception exception)
        {
            outcome = Outcome.FromException<TResult>(exception);
        }

        return outcome switch
        {
            { Exception: { } exception } => new Receipt(null, exception, null),
            { Result: { } result } => new Receipt(TKind.Identify(result, call.World), null, result as Lease),
            _ => default,
        };
    }

    private static ValueTask<Outcome<TResult>> RunOutcomeAsync(Call call) =>
        call.Lane.Pipeline is ResiliencePipeline pipeline
            ? pipeline.ExecuteOutcomeAsync<TResult, Call>(Callback<TResult, TKind>.RunAsync, call.Context, call)
            : ((ResiliencePipeline<TResult>)call.Lane.Pipeline).ExecuteOutcomeAsync<TResult, Call>(
                Callback<TResult, TKind>.RunAsync, call.Context, call);

    private static async ValueTask<TResult> RunThrowingAsync(Call call)
    {
        var pipeline = call.Lane.Pipeline as ResiliencePipeline;
        var typed = call.Lane.Pipeline as ResiliencePipeline<TResult>;
        if (call.Plan.Api == Api.Sync && call.World.TryBeginBlocking())
        {
            try
            {
                return pipeline is not null
                    ? pipeline.Execute(Callback<TResult, TKind>.RunBlocking, call.Context, call)
                    : typed!.Execute(Callback<TResult, TKind>.RunBlocking, call.Context, call);
            }
            finally
            {
                call.World.EndBlocking();
            }
        }

        return pipeline is not null
            ? await pipeline.ExecuteAsync(Callback<TResult, TKind>.RunThrowingAsync, call.Context, call)
            : await typed!.ExecuteAsync(Callback<TResult, TKind>.RunThrowingAsync, call.Context, call);
    }
}
