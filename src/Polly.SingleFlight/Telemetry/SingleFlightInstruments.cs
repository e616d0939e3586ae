using System.Diagnostics;
using System.Diagnostics.Metrics;
using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Telemetry;

/// <summary>
/// The meter and the activity source, both named "Polly.SingleFlight". Tags hold roles and the names given to the
/// pipeline and the strategy; never a key, a URL, a header or a result.
/// </summary>
internal static class SingleFlightInstruments
{
    private const string Name = "Polly.SingleFlight";

    private static readonly Meter s_meter = new(Name);
    private static readonly ActivitySource s_source = new(Name);

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

    /// <summary>Starts the span of a flight as the current activity; followers link to it, or to the leader's own if it is not sampled.</summary>
    public static void StartFlight(Flight flight)
    {
        if (s_source.HasListeners())
        {
            StartSpan(flight);
        }
    }

    private static void StartSpan(Flight flight)
    {

        var outer = Activity.Current;
        try
        {
            var activity = s_source.StartActivity("single_flight.flight");
            flight.Span = activity ?? outer;
            flight.OwnSpan = activity;
        }
        catch (Exception)
        {
            // A listener that throws fails nobody's execution.
            Activity.Current = outer;
            flight.Span = outer;
        }
    }

    /// <summary>Counts the flight as active.</summary>
    public static void FlightStarted(Flight flight, in TagList tags)
    {
        if (s_activeFlights.Enabled)
        {
            flight.IsCounted = true;
            Guard(static (in TagList tags) => s_activeFlights.Add(1, tags), tags);
        }
    }

    public static void FlightEnded(Flight flight, in TagList tags)
    {
        if (flight.OwnSpan is not null || flight.IsCounted || s_callers.Enabled)
        {
            RecordEnd(flight, tags);
        }
    }

    private static void RecordEnd(Flight flight, in TagList tags)
    {
        try
        {
            flight.OwnSpan?.Dispose();
        }
        catch (Exception)
        {
            // As above.
        }

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
                // As above.
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

    /// <summary>Notes the beginning of a follower's wait; null if nobody listens.</summary>
    public static FollowerSpan? BeginWait() =>
        s_source.HasListeners() ? new FollowerSpan(DateTimeOffset.UtcNow, Activity.Current?.Context ?? default) : null;

    /// <summary>
    /// Records a follower's wait as an activity linked to the flight's span. That is done when the wait is over: a link can only be given at the
    /// start of an activity, and a follower may join before the leader's span exists.
    /// </summary>
    public static void WaitEnded(FollowerSpan wait, Activity? flight)
    {
        if (flight is null)
        {
            return;
        }

        // This thread's own activity is another caller's, or none.
        var current = Activity.Current;
        try
        {
            Activity.Current = null;
            using (s_source.StartActivity(
                ActivityKind.Internal,
                wait.Parent,
                links: [new ActivityLink(flight.Context)],
                startTime: wait.Started,
                name: "single_flight.wait"))
            {
            }
        }
        catch (Exception)
        {
            // As above.
        }
        finally
        {
            Activity.Current = current;
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
