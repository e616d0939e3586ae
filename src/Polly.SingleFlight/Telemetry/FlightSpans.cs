using System.Diagnostics;
using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Telemetry;

/// <summary>
/// The activity source "Polly.SingleFlight". Tags hold roles, outcomes, the types of exceptions, and the names given to the pipeline and the strategy;
/// never a key, a URL, a header, a result or a message. Nothing here throws, and nothing is allocated while nobody listens.
/// </summary>
internal static class FlightSpans
{
    private const string Role = "single_flight.role";
    private const string Outcome = "single_flight.outcome";
    private const string ErrorType = "error.type";

    private static readonly ActivitySource s_source = new(SingleFlightInstruments.Name);

    /// <summary>Starts the span of a flight as the current activity; followers link to it, or to the leader's own if it is not sampled.</summary>
    public static void StartFlight(Flight flight, in TagList names)
    {
        if (s_source.HasListeners())
        {
            Start(flight, names);
        }
    }

    private static void Start(Flight flight, TagList tags)
    {
        var outer = Activity.Current;
        try
        {
            tags.Add(Role, "leader");
            var activity = s_source.StartActivity("single_flight.flight", ActivityKind.Internal, parentContext: default, tags);
            flight.Span = activity ?? outer;
            flight.OwnSpan = activity;
        }
        catch (Exception)
        {
            // A listener that throws fails nobody's execution.
            SetCurrent(outer);
            flight.Span = outer;
        }
    }

    /// <summary>Ends the span of a flight, which has one.</summary>
    /// <param name="flight">The flight.</param>
    /// <param name="failure">The exception of the callback; null if it returned a result.</param>
    /// <param name="hasLanded">Whether the flight had callers when the callback ended. Else the outcome is not theirs.</param>
    public static void EndFlight(Flight flight, Exception? failure, bool hasLanded)
    {
        var span = flight.OwnSpan!;
        try
        {
            if (span.IsAllDataRequested)
            {
                span.SetTag("single_flight.callers", flight.Joined);
                span.SetTag(Outcome, !hasLanded ? Loss(flight) : failure is null ? "success" : "failure");
                if (hasLanded && failure is not null)
                {
                    span.SetTag(ErrorType, TypeOf(failure));
                    span.SetStatus(ActivityStatusCode.Error);
                }
            }

            span.Dispose();
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
    /// <param name="wait">What was noted at the beginning.</param>
    /// <param name="flight">The span of the flight that was waited for; null if it has none.</param>
    /// <param name="names">The names given to the follower's pipeline and strategy.</param>
    /// <param name="end">How the wait ended.</param>
    /// <param name="failure">The exception that the follower gets, if the wait ended with an outcome; null for a result.</param>
    public static void EndWait(FollowerSpan wait, Activity? flight, TagList names, WaitEnd end, Exception? failure)
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
            names.Add(Role, "follower");
            names.Add(Outcome, NameOf(end, failure));
            var hasFailed = end == WaitEnd.Served && failure is not null;
            if (hasFailed)
            {
                names.Add(ErrorType, TypeOf(failure!));
            }

            using var activity = s_source.StartActivity(
                ActivityKind.Internal,
                wait.Parent,
                names,
                links: [new ActivityLink(flight.Context)],
                startTime: wait.Started,
                name: "single_flight.wait");
            if (hasFailed)
            {
                activity?.SetStatus(ActivityStatusCode.Error);
            }
        }
        catch (Exception)
        {
            // As above.
        }
        finally
        {
            SetCurrent(current);
        }
    }

    private static void SetCurrent(Activity? activity)
    {
        try
        {
            Activity.Current = activity;
        }
        catch (Exception)
        {
            // A handler of its change threw. It is set all the same.
        }
    }

    private static string NameOf(WaitEnd end, Exception? failure) => end switch
    {
        WaitEnd.Served => failure is null ? "success" : "failure",
        WaitEnd.Left => "left",
        WaitEnd.Elected => "elected",
        _ => "alone",
    };

    /// <summary>Why a flight closed before its callback ended. What is read here does not change any more.</summary>
    private static string Loss(Flight flight) =>
        flight.Waiters == 0 ? "abandoned"
        : flight is { LeaderLeft: true, Rules.LeaderDeparture: LeaderDeparture.HandOver } ? "handed_over"
        : "canceled";

    private static string TypeOf(Exception exception) => exception.GetType().FullName ?? exception.GetType().Name;
}
