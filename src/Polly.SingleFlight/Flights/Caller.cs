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
        var own = AloneBecause is { } reason
            ? Strategy.ExecuteAlone(reason, callback, Context, state)
            : Flight.Strategy.LeadSuccessor(Flight, callback, Context, state);
        SetResult(await own.Settle().ConfigureAwait(false));
    }
}
