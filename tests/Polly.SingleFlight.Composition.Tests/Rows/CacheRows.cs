using static Polly.SingleFlight.Composition.Tests.Infrastructure.Moment;
using static Polly.SingleFlight.Composition.Tests.Infrastructure.Reply;
using static Polly.SingleFlight.Composition.Tests.Infrastructure.Share;

namespace Polly.SingleFlight.Composition.Tests.Rows;

/// <summary>A cache outside, with whatever comes between it and the flight.</summary>
internal static class CacheRows
{
    public static Row[] All { get; } =
    [
        new("cache outside", "cache → single flight")
        {
            Upstream = [Answers(0.5)],
            Moments = [Callers(0), Tick(0.5), Callers(30)],
            Calls = 1,
            Flights = 1,
            Stored = 1,
            Shares = [Of("#1", 0.5), Of("#1", 0, 30)],
        },
        new("cache outside, some leave", "cache → patience → single flight")
        {
            Upstream = [Answers(8)],
            Moments = [Callers(0, 50), Callers(4, 50), Tick(7, 50), Tick(8), Callers(9)],
            Calls = 1,
            Flights = 1,
            Stored = 1,
            Shares = [Of("TimeoutRejectedException", 7, 0, 50), Of("#1", 4, 4, 50), Of("#1", 0, 9)],
        },
        new("cache outside, all leave", "cache → patience → single flight")
        {
            Upstream = [Answers(8), Answers(0.5)],
            Moments = [Callers(0), Tick(7, Row.Callers), Callers(9) with { Idle = true }, Tick(9.5)],
            Calls = 2,
            Flights = 2,
            Stored = 1,
            Shares = [Of("TimeoutRejectedException", 7), Of("#2", 0.5, 9)],
        },
        new("cache outside, all leave, flown to the end", "cache → patience → single flight to the end")
        {
            Upstream = [Answers(8), Answers(0.5)],
            Moments = [Callers(0), Tick(7, Row.Callers), Tick(8), Callers(9) with { Idle = true }, Tick(9.5)],
            Calls = 2,
            Flights = 2,
            Stored = 1,
            Shares = [Of("TimeoutRejectedException", 7), Of("#2", 0.5, 9)],
        },
        new("cache outside, refresh", "cache with refresh → single flight")
        {
            Upstream = [Answers(0.5)],
            Moments = [Callers(0), Tick(0.5), Callers(45), Tick(45.5), Callers(50) with { Refreshed = 1 }],
            Calls = 2,
            Flights = 2,
            Stored = 2,
            Shares = [Of("#1", 0.5), Of("#1", 0, 45), Of("#2", 0, 50)],
        },
        new("cache outside, stale on error", "cache with stale → single flight")
        {
            Upstream = [Answers(0.5), FailsAfter(0.5)],
            Moments = [Callers(0), Tick(0.5), Callers(70), Tick(70.5)],
            Calls = 2,
            Flights = 2,
            Stored = 1,
            Shares = [Of("#1", 0.5), Of("#1", 0.5, 70)],
        },
        new("cache outside, stale for the impatient", "cache with stale → patience → single flight")
        {
            Upstream = [Answers(0.5), Hangs],
            Moments = [Callers(0), Tick(0.5), Callers(70), Tick(77, Row.Callers)],
            Calls = 2,
            Flights = 2,
            Stored = 1,
            Shares = [Of("#1", 0.5), Of("#1", 7, 70)],
        },
        new("cache outside, retry between", "cache → retry → single flight")
        {
            Upstream = [FailsAfter(0.5), Answers(0.5)],
            Moments = [Callers(0), Tick(0.5), Tick(1.5, Row.Callers), Tick(2, 1, 198), Callers(30)],
            Calls = 2,
            Flights = 2,
            Stored = 1,
            Shares = [Of("#2", 2), Of("#2", 0, 30)],
        },
    ];
}
