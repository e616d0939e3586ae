namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>A strategy that does nothing: the least that any strategy costs.</summary>
internal sealed class EmptyStrategy : ResilienceStrategy
{
    protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state) =>
        callback(context, state);
}
