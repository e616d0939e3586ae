using System.Collections.Concurrent;

namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>
/// The hand-rolled idiom as a Polly strategy: the least that coalescing costs inside a pipeline. It has none of the promises
/// of single flight beyond sharing: no caller can leave, and the callback has the first caller's token and context.
/// </summary>
internal sealed class LazyStrategy : ResilienceStrategy
{
    private readonly ConcurrentDictionary<(object Key, Type Result), object> _running = new();

    protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        var key = (context.GetSingleFlightKey()!, typeof(TResult));
        var running = (Lazy<Task<Outcome<TResult>>>)_running.GetOrAdd(
            key,
            static (_, call) => new Lazy<Task<Outcome<TResult>>>(() => call.callback(call.context, call.state).AsTask()),
            (callback, context, state));
        var task = running.Value;
        if (!task.IsCompletedSuccessfully)
        {
            return AwaitAsync(key, running);
        }

        _running.TryRemove(KeyValuePair.Create<(object, Type), object>(key, running));
        return new(task.Result);
    }

    private async ValueTask<Outcome<TResult>> AwaitAsync<TResult>((object Key, Type Result) key, Lazy<Task<Outcome<TResult>>> running)
    {
        try
        {
            return await running.Value.ConfigureAwait(false);
        }
        finally
        {
            _running.TryRemove(KeyValuePair.Create<(object, Type), object>(key, running));
        }
    }
}
