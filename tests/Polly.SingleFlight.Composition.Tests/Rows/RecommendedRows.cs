using static Polly.SingleFlight.Composition.Tests.Infrastructure.Moment;
using static Polly.SingleFlight.Composition.Tests.Infrastructure.Reply;
using static Polly.SingleFlight.Composition.Tests.Infrastructure.Share;

namespace Polly.SingleFlight.Composition.Tests.Rows;

/// <summary>The recommended order, in good times and bad.</summary>
internal static class RecommendedRows
{
    public const string Order = "cache → patience → single flight → retry → breaker → hedging → attempt";

    public static Row[] All { get; } =
    [
        new("healthy", Order)
        {
            Upstream = [Answers(0.5)],
            Moments = [Callers(0), Tick(0.5), Callers(30), Callers(61), Tick(61.5)],
            Calls = 2,
            Flights = 2,
            Stored = 2,
            Shares = [Of("#1", 0.5), Of("#1", 0, 30), Of("#2", 0.5, 61)],
        },
        new("one slow call", Order)
        {
            Upstream = [Answers(5), Answers(0.5)],
            Moments = [Callers(0), Tick(1), Tick(1.5)],
            Calls = 2,
            Flights = 1,
            Stored = 1,
            Shares = [Of("#2", 1.5)],
        },
        new("two failures", Order)
        {
            Upstream = [FailsAfter(0.25), FailsAfter(0.25), Answers(0.5)],
            Moments = [Callers(0), Tick(0.25), Tick(0.5), Tick(1.5), Tick(2)],
            Calls = 3,
            Flights = 1,
            Stored = 1,
            Shares = [Of("#3", 2)],
        },
        new("outage", Order)
        {
            Upstream = [Hangs],
            Moments = [Callers(0), Tick(1), Tick(3), Tick(4), Tick(5), Tick(6), Tick(7, Row.Callers)],
            Calls = 4,
            Flights = 1,
            Stored = 0,
            Shares = [Of("TimeoutRejectedException", 7)],
            Exceptions = Row.Callers,
        },
        new("late recovery", Order)
        {
            Upstream = [Hangs, Hangs, Answers(2.5)],
            Moments =
            [
                Callers(0, 50), Tick(1), Tick(3), Callers(3.5, 50), Tick(4), Tick(5), Tick(6), Tick(7, 50), Tick(7.5), Callers(8),
            ],
            Calls = 4,
            Flights = 1,
            Stored = 1,
            Shares = [Of("TimeoutRejectedException", 7, 0, 50), Of("#3", 4, 3.5, 50), Of("#3", 0, 8)],
            Exceptions = 50,
        },
        new("broken circuit", Order)
        {
            // Five waves fail twice each, which are ten failures of flights; the sixth finds the circuit open, the seventh is the probe.
            Upstream = [.. Enumerable.Repeat(FailsAfter(0.25), 20), Answers(0.5)],
            Moments =
            [
                .. new double[] { 0, 3, 6, 9, 12 }.SelectMany(at =>
                    new[] { Callers(at), Tick(at + 0.25), Tick(at + 0.5), Tick(at + 1.5), Tick(at + 1.75), Tick(at + 2) }),
                Callers(15), Tick(16), Callers(20), Tick(20.5),
            ],
            Calls = 21,
            Flights = 7,
            Stored = 1,
            Shares =
            [
                .. new double[] { 0, 3, 6, 9, 12 }.Select(at => Of("UpstreamException", 2, at)),
                Of("BrokenCircuitException", 1, 15),
                Of("#21", 0.5, 20),
            ],
            Exceptions = 6,
        },
    ];
}
