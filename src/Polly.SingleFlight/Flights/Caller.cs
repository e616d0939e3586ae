namespace Polly.SingleFlight.Flights;

/// <summary>A waiter with the caller's own callback, in case it has to run it after all.</summary>
internal sealed class Caller<TResult, TState>(
    SingleFlightResilienceStrategy strategy,
    Flight<TResult> flight,
    Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
    ResilienceContext context,
    TState state,
    long now,
    bool isLeader)
    : Waiter<TResult>(strategy, flight, context, now, isLeader)
{
    protected override void RunSummoned() => _ = RunSummonedAsync();

    private async Task RunSummonedAsync()
    {
        if (AloneBecause is { } reason)
        {
            if (TryClaim())
            {
                SetResult(await Strategy.ExecuteAlone(reason, callback, Context, state).Settle().ConfigureAwait(false));
            }
        }
        else
        {
            SetResult(await Flight.Strategy.LeadSuccessor(Flight, callback, Context, state).Settle().ConfigureAwait(false));
        }
    }
}
