using static Polly.SingleFlight.Composition.Tests.Infrastructure.Moment;
using static Polly.SingleFlight.Composition.Tests.Infrastructure.Reply;
using static Polly.SingleFlight.Composition.Tests.Infrastructure.Share;

namespace Polly.SingleFlight.Composition.Tests.Rows;

/// <summary>One strategy together with single flight, where it belongs; and what there is without single flight.</summary>
internal static class DocumentedRows
{
    private static readonly Row[] s_polly =
    [
        new("nothing", "")
        {
            Upstream = [Answers(0.5)],
            Moments = [Callers(0), Tick(0.5, Row.Callers)],
            Calls = 100,
            Shares = [Of("#1 to #100", 0.5)],
        },
        new("alone", "single flight")
        {
            Upstream = [Answers(0.5)],
            Moments = [Callers(0), Tick(0.5), Callers(1), Tick(1.5)],
            Calls = 2,
            Flights = 2,
            Shares = [Of("#1", 0.5), Of("#2", 0.5, 1)],
        },
        new("patience outside", "patience → single flight")
        {
            Upstream = [Answers(8)],
            Moments = [Callers(0, 50), Callers(4, 50), Tick(7, 50), Tick(8)],
            Calls = 1,
            Flights = 1,
            Shares = [Of("TimeoutRejectedException", 7, 0, 50), Of("#1", 4, 4, 50)],
            Exceptions = 50,
        },
        new("patience outside, all leave", "patience → single flight")
        {
            Upstream = [Hangs, Answers(0.5)],
            Moments = [Callers(0), Tick(7, Row.Callers), Callers(8), Tick(8.5)],
            Calls = 2,
            Flights = 2,
            Shares = [Of("TimeoutRejectedException", 7), Of("#2", 0.5, 8)],
            Exceptions = Row.Callers,
        },
        new("hand over, leader leaves", "patience → single flight with hand over")
        {
            Upstream = [Answers(8), Answers(0.5)],
            Moments = [Callers(0, 1), Callers(4, 99), Tick(7), Tick(7.5)],
            Calls = 2,
            Shares = [Of("TimeoutRejectedException", 7, 0, 1), Of("#2", 3.5, 4, 99)],
        },
        new("timeout inside", "single flight → attempt")
        {
            Upstream = [Hangs],
            Moments = [Callers(0, 50), Callers(2, 50), Tick(3)],
            Calls = 1,
            Flights = 1,
            Shares = [Of("TimeoutRejectedException", 3, 0, 50), Of("TimeoutRejectedException", 1, 2, 50)],
            Exceptions = 1,
        },
        new("retry inside", "single flight → retry")
        {
            Upstream = [FailsAfter(0.5), Answers(0.5)],
            Moments = [Callers(0), Tick(0.5), Tick(1.5), Tick(2)],
            Calls = 2,
            Flights = 1,
            Shares = [Of("#2", 2)],
        },
        new("retry outside", "retry → single flight")
        {
            Upstream = [FailsAfter(0.5), Answers(0.5)],
            Moments = [Callers(0), Tick(0.5), Tick(1.5, Row.Callers), Tick(2, 1, 198)],
            Calls = 2,
            Flights = 2,
            Shares = [Of("#2", 2)],
        },
        new("breaker inside", "single flight → breaker")
        {
            Upstream = [.. Enumerable.Repeat(FailsAfter(0.5), 10), Answers(0.5)],
            Moments = [.. Enumerable.Range(0, 10).SelectMany(at => new[] { Callers(at), Tick(at + 0.5) }), Callers(10), Callers(15), Tick(15.5)],
            Calls = 11,
            Shares =
            [
                .. Enumerable.Range(0, 10).Select(at => Of("UpstreamException", 0.5, at)),
                Of("BrokenCircuitException", 0, 10),
                Of("#11", 0.5, 15),
            ],
        },
        new("limiter inside", "single flight → limiter")
        {
            Upstream = [Answers(0.5)],
            Moments = [Callers(0), Tick(0.5)],
            Calls = 1,
            Flights = 1,
            Shares = [Of("#1", 0.5)],
        },
        new("hedging inside", "single flight → hedging")
        {
            Upstream = [Answers(5), Answers(0.5)],
            Moments = [Callers(0), Tick(1), Tick(1.5)],
            Calls = 2,
            Flights = 1,
            Shares = [Of("#2", 1.5)],
        },
        new("hedging inside, failure", "single flight → hedging")
        {
            Upstream = [FailsAfter(0.25), Answers(0.5)],
            Moments = [Callers(0), Tick(0.25), Tick(0.75)],
            Calls = 2,
            Flights = 1,
            Shares = [Of("#2", 0.75)],
        },
        new("longest flight", "single flight → retry → breaker → hedging → attempt")
        {
            Upstream = [Hangs],
            Moments = [Callers(0), Tick(1), Tick(3), Tick(4), Tick(5), Tick(6), Tick(8), Tick(9)],
            Calls = 4,
            Flights = 1,
            Shares = [Of("TimeoutRejectedException", 9)],
            Exceptions = 1,
        },
    ];

    public static Row[] All { get; } = [.. s_polly, .. CacheRows.All];
}
