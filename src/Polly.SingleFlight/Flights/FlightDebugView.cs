using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>What a debugger shows of a flight; see <see cref="SingleFlightGroupDebugView"/>.</summary>
[DebuggerDisplay("#{Id} {State}, {Callers} of {Joined} callers, {Age}")]
internal sealed class FlightDebugView(Flight flight)
{
    public long Id => flight.Id;

    public FlightState State => flight.StateSeen;

    /// <summary>How many callers wait, the leader included.</summary>
    public int Callers => flight.Waiters;

    /// <summary>How many callers have joined in all, the leader included.</summary>
    public int Joined => flight.Joined;

    /// <summary>What has become of the leader; <see cref="LeaderState.Running"/> while its callback has its thread.</summary>
    public LeaderState Leader => flight.Leader;

    /// <summary>Whether the callback runs, or its outcome is being given to the callers.</summary>
    public bool IsRunning => !flight.HasEnded;

    /// <summary>The time since the start; null if the clock throws.</summary>
    public TimeSpan? Age
    {
        get
        {
            try
            {
                return flight.Age;
            }
            catch (Exception)
            {
                return null;
            }
        }
    }

    public Type ResultType => flight.ResultType;

    public object[] Followers => [.. flight.FollowersSeen];
}
