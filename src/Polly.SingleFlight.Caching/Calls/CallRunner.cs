namespace Polly.SingleFlight.Caching.Calls;

/// <summary>Makes a call, and has its result kept.</summary>
internal static class CallRunner
{
    /// <summary>
    /// A follower's wait is returned as it is: an asynchronous method around it would need a thread to end, which a caller that blocks its own may be holding.
    /// </summary>
    public static ValueTask<Outcome<TActual>> Run<TResult, TActual, TState>(
        CacheParts<TResult> parts,
        CacheCall<TResult, TActual> call,
        FlightInterceptor? outer,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext context,
        TState state)
    {
        context.SetFlightInterceptor(call);
        context.SetResultOrigin(call);
        context.Properties.Set(CacheResilienceContextExtensions.Replaced, call.Replaced);
        var permit = parts.Ledger.Begin(call.StorageKey);
        var pending = Results.Invoke(callback, context, state);
        if (!pending.IsCompleted && call.IsFollower)
        {
            context.Properties.Set(CacheResilienceContextExtensions.Replaced, null);

            // What is to be done inside stays with the context, in case the follower has to make the call after all.
            permit.Dispose();
            return pending;
        }

        return EndAsync(call, outer, pending, context, permit);
    }

    private static async ValueTask<Outcome<TActual>> EndAsync<TResult, TActual>(
        CacheCall<TResult, TActual> call, FlightInterceptor? outer, ValueTask<Outcome<TActual>> pending, ResilienceContext context, Permit permit)
    {
        var outcome = await pending.Settle().ConfigureAwait(context.ContinueOnCapturedContext);
        context.SetFlightInterceptor(outer);
        context.Properties.Set(CacheResilienceContextExtensions.Replaced, null);
        await call.EndAsync(outcome, context, permit).ConfigureAwait(context.ContinueOnCapturedContext);
        return outcome;
    }
}
