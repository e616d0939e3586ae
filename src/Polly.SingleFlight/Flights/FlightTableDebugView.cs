using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>What a debugger shows of a table; see <see cref="SingleFlightGroupDebugView"/>.</summary>
internal sealed class FlightTableDebugView(FlightTable table)
{
    /// <summary>The joinable flights, the oldest first.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.RootHidden)]
    public FlightDebugView[] Flights =>
        [.. table.FlightsSeen.Select(static flight => new FlightDebugView(flight)).OrderByDescending(static view => view.Age).ThenBy(static view => view.Id)];
}
