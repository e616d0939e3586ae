using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Time.Testing;

namespace Polly.SingleFlight.Composition.Tests.Chaos;

/// <summary>Sends callers through an order from many threads, while the clock runs.</summary>
internal sealed class ChaosWorld : IDisposable
{
    /// <summary>Of the clock, after the last caller: longer than any flight without callers, or a refresh, can take.</summary>
    private const int TicksToDrain = 300;

    private readonly FakeTimeProvider _clock;
    private readonly SeededRandom _random;
    private readonly MemoryCache _cache = new(new MemoryCacheOptions());
    private readonly ResiliencePipeline<int> _pipeline;
    private readonly ConcurrentDictionary<string, int> _tally = new();

    public ChaosWorld(string order, int seed, FakeTimeProvider clock, Func<SingleFlightStrategyOptions<int>> flight)
    {
        (_clock, _random) = (clock, new SeededRandom(seed));
        Upstream = new ChaosUpstream(clock, _random);
        _pipeline = new Layers(_cache, flight, static () => { }, static () => { }, ChaosPlan.CacheLifetime).Build(order, clock, Upstream.Disturb);
    }

    public ChaosUpstream Upstream { get; }

    /// <summary>How many callers got what: "result", "degraded" or the name of an exception.</summary>
    public IReadOnlyDictionary<string, int> Tally => _tally;

    /// <summary>What no caller may get.</summary>
    public ConcurrentQueue<string> Violations { get; } = [];

    public async Task RunAsync()
    {
        var callers = new List<Task>();
        while (callers.Count < ChaosPlan.Callers)
        {
            for (var i = 0; i < ChaosPlan.CallersPerTick; i++)
            {
                var key = 1 + _random.Next(ChaosPlan.Keys);
                var token = _random.Next(4) == 0 ? TimeSpan.FromSeconds(_random.NextDouble() * ChaosPlan.LongestToken) : (TimeSpan?)null;
                callers.Add(Task.Run(() => CallAsync(key, token)));
            }

            await TickAsync();
        }

        var all = Task.WhenAll(callers);
        await UntilAsync(() => all.IsCompleted);
        await all;
        for (var i = 0; i < TicksToDrain; i++)
        {
            await TickAsync();
        }

        await UntilAsync(() => Upstream.Running == 0);
    }

    public void Dispose() => _cache.Dispose();

    private async Task UntilAsync(Func<bool> condition)
    {
        var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            Assert.False(limit.IsCancellationRequested, $"Something hangs: {string.Join(", ", _tally)}, {Upstream.Running} calls run.");
            await TickAsync();
        }
    }

    /// <summary>Lets those who can go on do so, more or less, and then moves the clock: nothing depends on the order.</summary>
    private async Task TickAsync()
    {
        for (var i = 0; i < 100 && ThreadPool.PendingWorkItemCount > 0; i++)
        {
            await Task.Yield();
        }

        _clock.Advance(ChaosPlan.Tick);
        await Task.Yield();
    }

    private async Task CallAsync(int key, TimeSpan? patience)
    {
        using var source = patience is { } time ? new CancellationTokenSource(time, _clock) : new CancellationTokenSource();
        var context = ResilienceContextPool.Shared.Get(source.Token);
        context.SetSingleFlightKey(key);
        try
        {
            var result = await _pipeline.ExecuteAsync(static (context, upstream) => upstream.CallAsync(context), context, Upstream);
            Count(result > 0 ? "result" : "degraded");
            Check(Math.Abs(result) == key, $"a caller of {key} got {result}");
        }
        catch (Exception exception)
        {
            Count(exception.GetType().Name);
            Check(
                exception is not OperationCanceledException || source.IsCancellationRequested,
                $"a caller who has not left got {exception}");
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private void Count(string ending) => _tally.AddOrUpdate(ending, 1, static (_, count) => count + 1);

    private void Check(bool holds, string violation)
    {
        if (!holds)
        {
            Violations.Enqueue(violation);
        }
    }
}
