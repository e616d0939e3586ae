using Microsoft.Extensions.Caching.Memory;

namespace Polly.SingleFlight.Composition.Tests.Infrastructure;

/// <summary>Plays a row: moves the clock from moment to moment, and writes down who got what, when.</summary>
internal sealed class Play : IDisposable
{
    private readonly Row _row;
    private readonly Timeline _timeline;
    private readonly MemoryCache _cache = new(new MemoryCacheOptions());
    private readonly ResiliencePipeline<int> _pipeline;
    private readonly List<Task<Ending>> _callers = [];
    private readonly Probe _probe = new();
    private readonly Probe _flights;
    private int _stored;

    public Play(Row row, Probe flights, Func<SingleFlightStrategyOptions<int>> flight)
    {
        (_row, _timeline, _flights) = (row, new Timeline(), flights);
        Upstream = new Upstream(_timeline, row.Upstream);
        _pipeline = new Layers(_cache, flight, () => Interlocked.Increment(ref _stored), () => _probe.Hit("refreshed")).Build(row.Order, _timeline);
    }

    public Upstream Upstream { get; }

    public int Stored => Volatile.Read(ref _stored);

    public async Task<Ending[]> RunAsync()
    {
        foreach (var moment in _row.Moments)
        {
            var at = TimeSpan.FromSeconds(moment.At);
            await _timeline.Due(at, moment.Timers);
            await (moment.Set is { } set ? _timeline.Set(set) : Task.CompletedTask);
            await _flights.Reached(FlightTest.Joined, moment.Joined);
            await _probe.Reached("refreshed", moment.Refreshed);
            await Upstream.Called(moment.Called);
            await (moment.Idle ? Upstream.Idle() : Task.CompletedTask);
            await InTheCache(moment.Cached ? 1 : 0).Soon();
            await EveryoneWhoEndsUntil(_timeline.Now, arrivedBefore: moment.At);
            _timeline.MoveTo(at);
            if (moment.Arrive > 0)
            {
                await EveryoneWhoEndsUntil(_timeline.Now, arrivedBefore: moment.At);
            }

            for (var i = 0; i < moment.Arrive; i++)
            {
                _callers.Add(CallAsync());
            }
        }

        var endings = await Task.WhenAll(_callers).Soon();
        await Upstream.Idle();
        return endings;
    }

    public void Dispose() => _cache.Dispose();

    private Task EveryoneWhoEndsUntil(TimeSpan now, double arrivedBefore) => _probe.Reached(
        "ended", _row.Shares.Where(share => share.Arrived + share.Waited <= now.TotalSeconds && share.Arrived < arrivedBefore).Sum(share => share.Count));

    private async Task InTheCache(int count)
    {
        while (_cache.Count < count)
        {
            await Task.Yield();
        }
    }

    private async Task<Ending> CallAsync()
    {
        var arrived = _timeline.Now;
        var context = ResilienceContextPool.Shared.Get();
        context.SetSingleFlightKey("key");
        try
        {
            var number = await _pipeline.ExecuteAsync(
                static (context, upstream) => upstream.CallAsync(context.CancellationToken), context, Upstream);
            return new Ending(number, null, arrived, _timeline.Now);
        }
        catch (Exception exception)
        {
            return new Ending(0, exception, arrived, _timeline.Now);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
            _probe.Hit("ended");
        }
    }

    /// <summary>What a caller got: the answer of a call, or an exception.</summary>
    public sealed record Ending(int Number, Exception? Exception, TimeSpan Arrived, TimeSpan Ended)
    {
        public static Share[] Sum(IEnumerable<Ending> endings) =>
            [.. endings.GroupBy(ending => (Exception: ending.Exception?.GetType().Name, ending.Arrived, ending.Ended))
                .OrderBy(group => group.Key.Arrived).ThenBy(group => group.Key.Ended).ThenBy(group => group.Key.Exception, StringComparer.Ordinal)
                .Select(group => new Share(
                    group.Count(),
                    group.Key.Exception ?? Answers(group.Min(ending => ending.Number), group.Max(ending => ending.Number)),
                    (group.Key.Ended - group.Key.Arrived).TotalSeconds,
                    group.Key.Arrived.TotalSeconds))];

        private static string Answers(int first, int last) => first == last ? $"#{first}" : $"#{first} to #{last}";
    }
}
