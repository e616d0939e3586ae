namespace Polly.SingleFlight.Redis.Strategy;

/// <summary>Outcomes, and which failures may leave the node.</summary>
internal static class Outcomes
{
    public static Outcome<TResult> Canceled<TResult>(ResilienceContext context) =>
        Outcome.FromException<TResult>(new OperationCanceledException(context.CancellationToken));

    /// <summary>An execution may have been made with a type derived from that of the options.</summary>
    public static Outcome<TResult> Up<TResult, TActual>(Outcome<TActual> outcome) => outcome.Exception is { } exception
        ? Outcome.FromException<TResult>(exception)
        : Outcome.FromResult((TResult)(object?)outcome.Result!);

    /// <summary>Runs what is inside, so that it ends in an outcome however it fails.</summary>
    public static async ValueTask<Outcome<TResult>> InvokeAsync<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        try
        {
            return await callback(context, state).ConfigureAwait(context.ContinueOnCapturedContext);
        }
        catch (Exception exception)
        {
            return Outcome.FromException<TResult>(exception);
        }
    }

    /// <summary>Whether there is no cancellation and no rejection in a failure: those tell of this node, and mean nothing to others.</summary>
    public static bool MayBeHandedOver(Exception? failure)
    {
        for (var link = failure; link is not null; link = link.InnerException)
        {
            if (link is OperationCanceledException or ExecutionRejectedException
                || (link is AggregateException { InnerExceptions.Count: > 1 } all && !all.InnerExceptions.All(MayBeHandedOver)))
            {
                return false;
            }
        }

        return true;
    }
}
