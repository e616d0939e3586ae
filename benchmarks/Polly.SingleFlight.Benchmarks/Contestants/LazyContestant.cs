using System.Collections.Concurrent;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>What people write by hand: lazily started tasks in a dictionary, each removed by whoever sees it end.</summary>
internal sealed class LazyContestant() : Contestant("Lazy idiom, no pipeline")
{
    private readonly ConcurrentDictionary<string, Lazy<Task<string>>> _running = new();

    public override async ValueTask<string> ExecuteAsync(string key, ResilienceContext? context, Work work, CancellationToken token)
    {
        var running = _running.GetOrAdd(
            key,
            static (_, call) => new Lazy<Task<string>>(() => Work.Factory(call.work, call.token).AsTask()),
            (work, token));
        try
        {
            return await running.Value.WaitAsync(token).ConfigureAwait(false);
        }
        finally
        {
            _running.TryRemove(KeyValuePair.Create(key, running));
        }
    }
}
