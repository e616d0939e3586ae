using static Polly.SingleFlight.Composition.Tests.Infrastructure.Moment;
using static Polly.SingleFlight.Composition.Tests.Infrastructure.Reply;
using static Polly.SingleFlight.Composition.Tests.Infrastructure.Share;

namespace Polly.SingleFlight.Composition.Tests.Rows;

/// <summary>Orders that are mistakes, and what each costs.</summary>
internal static class MistakenRows
{
    public static Row[] All { get; } =
    [
        new("cache without single flight", "cache")
        {
            Upstream = [Answers(0.5)],
            Moments = [Callers(0), Tick(0.5, Row.Callers), Callers(30)],
            Calls = 100,
            Stored = 100,
            Shares = [Of("#1 to #100", 0.5), Of("#100", 0, 30)],
        },
        new("cache inside", "single flight → cache")
        {
            Upstream = [Answers(0.5)],
            Moments = [Callers(0), Tick(0.5), Callers(30)],
            Calls = 1,
            Flights = 101,
            Stored = 1,
            Shares = [Of("#1", 0.5), Of("#1", 0, 30)],
        },
        new("hedging outside", "hedging → single flight")
        {
            Upstream = [Answers(5), Answers(0.5)],
            Moments = [Callers(0), Tick(1, Row.Callers), Tick(5, 1, 199)],
            Calls = 1,
            Flights = 1,
            Shares = [Of("#1", 5)],
        },
        new("hedging outside, failure", "hedging → single flight")
        {
            Upstream = [FailsAfter(0.25), Answers(0.5)],
            Moments = [Callers(0), Tick(0.25), Tick(0.75, 1, 198)],
            Calls = 2,
            Flights = 2,
            Shares = [Of("#2", 0.75)],
        },
        new("hedging between cache and flight", "cache → hedging → single flight")
        {
            Upstream = [Answers(5), Answers(0.5)],
            Moments = [Callers(0), Tick(1, Row.Callers), Tick(5, 1, 199), Callers(30)],
            Calls = 1,
            Flights = 1,
            Stored = 1,
            Shares = [Of("#1", 5), Of("#1", 0, 30)],
        },
        new("breaker outside", "breaker → single flight")
        {
            Upstream = [FailsAfter(0.5), Answers(0.5)],
            Moments = [Callers(0), Tick(0.5), Callers(1), Callers(6), Tick(6.5)],
            Calls = 2,
            Flights = 2,
            Shares = [Of("UpstreamException", 0.5), Of("BrokenCircuitException", 0, 1), Of("BrokenCircuitException", 0, 6, 99), Of("#2", 0.5, 6, 1)],
        },
        new("breaker outside that opens at 100 failures", "breaker of 100 → single flight")
        {
            Upstream = [FailsAfter(0.5), Answers(0.5)],
            Moments = [Callers(0), Tick(0.5), Callers(1)],
            Calls = 1,
            Flights = 1,
            Shares = [Of("UpstreamException", 0.5), Of("BrokenCircuitException", 0, 1)],
        },
        new("breaker outside that opens at 101 failures", "breaker of 101 → single flight")
        {
            Upstream = [FailsAfter(0.5), Answers(0.5)],
            Moments = [Callers(0), Tick(0.5), Callers(1), Tick(1.5)],
            Calls = 2,
            Flights = 2,
            Shares = [Of("UpstreamException", 0.5), Of("#2", 0.5, 1)],
        },
        new("limiter outside", "limiter → single flight")
        {
            Upstream = [Answers(0.5)],
            Moments = [Callers(0), Tick(0.5)],
            Calls = 1,
            Flights = 1,
            Shares = [Of("RateLimiterRejectedException", 0, 0, 90), Of("#1", 0.5, 0, Layers.Limit)],
        },
        new("limiter outside, with a queue", "limiter with queue → single flight")
        {
            Upstream = [Answers(0.5)],
            Moments = [Callers(0), .. Enumerable.Range(1, 10).Select(i => Tick(i * 0.5, 1, 9 * i))],
            Calls = 10,
            Flights = 10,
            Shares = [.. Enumerable.Range(1, 10).Select(i => Of($"#{i}", i * 0.5, 0, Layers.Limit))],
        },
        new("retry outside, delays apart", "retry apart → single flight")
        {
            Upstream = [FailsAfter(0.5), Answers(0.5)],
            Moments =
            [
                Callers(0),
                Tick(0.5),
                .. Enumerable.Range(1, 5).SelectMany(i => new[] { Tick(i + 0.5, 20) with { Set = 120 - (20 * i) }, Tick(i + 1, 1, 99 + (19 * i)) }),
            ],
            Calls = 6,
            Flights = 6,
            Shares = [.. Enumerable.Range(1, 5).Select(i => Of($"#{i + 1}", i + 1, 0, 20))],
        },
        new("attempt timeout outside", "retry → attempt → single flight")
        {
            Upstream = [Answers(5)],
            Moments = [Callers(0), Tick(3, Row.Callers), Tick(4, Row.Callers), Tick(7, Row.Callers, 198)],
            Calls = 2,
            Flights = 2,
            Shares = [Of("TimeoutRejectedException", 7)],
        },
        new("hand over, two leaders leave", "patience → single flight with hand over")
        {
            Upstream = [Hangs, Hangs, Answers(0.5)],
            Moments = [Callers(0, 1), Callers(1, 1), Callers(4, 98), Tick(7), Tick(8) with { Called = 2 }, Tick(8.5, 98)],
            Calls = 100,
            Shares =
            [
                Of("TimeoutRejectedException", 7, 0, 1),
                Of("TimeoutRejectedException", 7, 1, 1),
                Of("#3 to #100", 4.5, 4, 98),
            ],
        },
        new("patience outside the cache", "patience → cache with stale → single flight")
        {
            Upstream = [Answers(0.5), Hangs],
            Moments = [Callers(0), Tick(0.5), Callers(70), Tick(77, Row.Callers)],
            Calls = 2,
            Flights = 2,
            Stored = 1,
            Shares = [Of("#1", 0.5), Of("TimeoutRejectedException", 7, 70)],
        },
    ];
}
