namespace Polly.SingleFlight.Flights;

/// <summary>Keeps what foreign code throws inside an <see cref="Outcome{TResult}"/>, as nothing in Polly catches what a strategy throws.</summary>
internal static class Outcomes
{
    /// <summary>Runs a callback, on the context made for it, so that it ends in an outcome however it fails.</summary>
    public static ValueTask<Outcome<TResult>> InvokeAsync<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        try
        {
            return callback(context, state);
        }
        catch (Exception exception)
        {
            return Outcome.FromExceptionAsValueTask<TResult>(exception);
        }
    }

    /// <summary>The outcome of a completed task.</summary>
    public static Outcome<TResult> Get<TResult>(ValueTask<Outcome<TResult>> completed)
    {
        try
        {
            return completed.GetAwaiter().GetResult();
        }
        catch (Exception exception)
        {
            return Outcome.FromException<TResult>(exception);
        }
    }

    /// <summary>The same task, except that it does not fail.</summary>
    public static async ValueTask<Outcome<TResult>> Settle<TResult>(this ValueTask<Outcome<TResult>> pending)
    {
        try
        {
            return await pending.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            return Outcome.FromException<TResult>(exception);
        }
    }

    public static Outcome<TResult> Canceled<TResult>(ResilienceContext context) =>
        Outcome.FromException<TResult>(new OperationCanceledException(context.CancellationToken));

    /// <summary>The outcome of a call that neither flew nor ran alone; an earlier result in the same context must not pass for its own.</summary>
    public static Outcome<TResult> Reject<TResult>(ResilienceContext context, Exception? exception = null)
    {
        if (context.Properties.TryGetValue(ContextProperties.Participation, out _))
        {
            context.Properties.Set(ContextProperties.Participation, null);
        }

        return exception is null ? Canceled<TResult>(context) : Outcome.FromException<TResult>(exception);
    }
}
