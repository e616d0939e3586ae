namespace Polly.SingleFlight.Flights;

/// <summary>What a debugger shows of a group. It takes no gate, since the debugger may have stopped the thread that holds it, and shows no key.</summary>
internal sealed class SingleFlightGroupDebugView(SingleFlightGroup group)
{
    /// <summary>The joinable flights, the oldest first.</summary>
    public FlightDebugView[] Flights => new FlightTableDebugView(group.Table).Flights;
}
