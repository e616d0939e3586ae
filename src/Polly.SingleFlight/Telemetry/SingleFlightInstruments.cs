using System.Diagnostics;
using System.Diagnostics.Metrics;
using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Telemetry;

/// <summary>
/// The meter "Polly.SingleFlight". Tags hold roles and the names given to the pipeline and the strategy; never a key, a
/// URL, a header or a result.
/// </summary>
internal static class SingleFlightInstruments
{
    public const string Name = "Polly.SingleFlight";

    private static readonly Meter s_meter = new(Name);

    private static readonly string[] s_reasonNames = Enum.GetNames<BypassReason>();

    private static readonly Counter<long> s_executions = s_meter.CreateCounter<long>(
        "polly.single_flight.executions", "{execution}", "Executions that reached the strategy, by role and, when they ran alone, by reason.");

    private static readonly UpDownCounter<long> s_activeFlights = s_meter.CreateUpDownCounter<long>(
        "polly.single_flight.active_flights", "{flight}", "Flights whose callback is running.");

    private static readonly Histogram<int> s_callers = s_meter.CreateHistogram<int>(
        "polly.single_flight.callers", "{caller}", "Callers that joined a flight, the leader included.");

    private static readonly Histogram<double> s_waitDuration = s_meter.CreateHistogram<double>(
        "polly.single_flight.wait.duration", "s", "How long callers waited for their flight, by role.");

    /// <summary>Whether <see cref="ExecutionEnded"/> is to be called.</summary>
    public static bool CountsExecutions => s_executions.Enabled || s_waitDuration.Enabled;

    /// <summary>Counts the flight as active.</summary>
    public static void FlightStarted(Flight flight, in TagList tags)
    {
        if (s_activeFlights.Enabled)
        {
            flight.IsCounted = true;
            Guard(static (in TagList tags) => s_activeFlights.Add(1, tags), tags);
        }
    }

    /// <summary>Ends the span of the flight, and counts it as active no more.</summary>
    /// <param name="flight">The flight.</param>
    /// <param name="tags">The names given to the pipeline and the strategy.</param>
    /// <param name="failure">The exception of the callback; null if it returned a result.</param>
    /// <param name="hasLanded">Whether the flight had callers when the callback ended.</param>
    public static void FlightEnded(Flight flight, in TagList tags, Exception? failure, bool hasLanded)
    {
        if (flight.OwnSpan is not null)
        {
            FlightSpans.EndFlight(flight, failure, hasLanded);
        }

        if (flight.IsCounted || s_callers.Enabled)
        {
            RecordEnd(flight, tags);
        }
    }

    private static void RecordEnd(Flight flight, in TagList tags)
    {
        if (flight.IsCounted)
        {
            Guard(static (in TagList tags) => s_activeFlights.Add(-1, tags), tags);
        }

        if (s_callers.Enabled)
        {
            try
            {
                s_callers.Record(flight.Joined, tags);
            }
            catch (Exception)
            {
                // A listener that throws fails nobody's execution.
            }
        }
    }

    /// <summary>
    /// Records one caller's execution, on the thread that lets the caller go and just before it does. An asynchronous method around the caller's
    /// wait would need a thread of the pool to end, which a caller that blocks its own may be holding.
    /// </summary>
    public static void ExecutionEnded(SingleFlightResult result, TagList tags)
    {
        FlightClock.RequireExact();
        try
        {
            tags.Add("single_flight.role", RoleName(result.Role));
            if (result.Role == SingleFlightRole.Bypassed)
            {
                tags.Add("single_flight.bypass_reason", s_reasonNames[(int)result.BypassReason]);
            }

            s_executions.Add(1, tags);
            if (result.Role != SingleFlightRole.Bypassed)
            {
                s_waitDuration.Record(result.WaitTime.TotalSeconds, tags);
            }
        }
        catch (Exception)
        {
            // As above.
        }
    }

    private static string RoleName(SingleFlightRole role) => role switch
    {
        SingleFlightRole.Leader => "leader",
        SingleFlightRole.Follower => "follower",
        _ => "bypassed",
    };

    private delegate void Record(in TagList tags);

    private static void Guard(Record record, in TagList tags)
    {
        try
        {
            record(tags);
        }
        catch (Exception)
        {
            // As above.
        }
    }
}
