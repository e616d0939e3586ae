using Polly.SingleFlight.Benchmarks.Contestants;

namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>Concurrent tasks that call one after the other, each with random keys from a seed of its own.</summary>
internal sealed class Hammering(int tasks, int keyCount)
{
    private readonly string[] _keys = [.. Enumerable.Range(0, keyCount).Select(static i => $"key {i}")];

    /// <summary>Makes this many calls in all.</summary>
    /// <returns>How many callbacks that took.</returns>
    public async Task<long> RunAsync(Contestant contestant, int calls)
    {
        var work = new YieldingWork();
        await Task.WhenAll(Enumerable.Range(0, tasks).Select(seed => Task.Run(() => CallAsync(contestant, work, seed, calls / tasks))))
            .ConfigureAwait(false);
        return work.Runs;
    }

    private async Task CallAsync(Contestant contestant, YieldingWork work, int seed, int calls)
    {
        var random = new Random(seed);
        for (var i = 0; i < calls; i++)
        {
            var key = _keys[random.Next(_keys.Length)];
            var context = contestant.Rent(key, CancellationToken.None);
            await contestant.ExecuteAsync(key, context, work, CancellationToken.None).ConfigureAwait(false);
            contestant.Return(context);
        }
    }
}
