using System.Collections.Concurrent;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>What people write by hand: lazily started tasks in a dictionary, each removed by whoever sees it end.</summary>
internal sealed class LazyIdiom<T>
{
    private readonly ConcurrentDictionary<string, Lazy<Task<T>>> _running = new();

    public async ValueTask<T> ExecuteAsync(
        string key, Func<ResilienceContext, Work, ValueTask<T>> callback, ResilienceContext context, Work work)
    {
        var running = _running.GetOrAdd(
            key,
            static (_, call) => new Lazy<Task<T>>(() => call.callback(call.context, call.work).AsTask()),
            (callback, context, work));
        try
        {
            return await running.Value.WaitAsync(context.CancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _running.TryRemove(KeyValuePair.Create(key, running));
        }
    }
}
