namespace Polly.SingleFlight;

/// <summary>
/// How one caller's execution was coalesced. Read it from the caller's own context with
/// <see cref="SingleFlightResilienceContextExtensions.GetSingleFlightResult"/>.
/// </summary>
public sealed class SingleFlightResult : Flights.IParticipation
{
    private static readonly SingleFlightResult[] s_bypassed =
        [.. Enum.GetValues<BypassReason>().Select(static reason => new SingleFlightResult(SingleFlightRole.Bypassed, 1, 0, TimeSpan.Zero) { BypassReason = reason })];

    internal SingleFlightResult(SingleFlightRole role, int callerCount, long flightId, TimeSpan waitTime)
    {
        Role = role;
        CallerCount = callerCount;
        FlightId = flightId;
        WaitTime = waitTime;
    }

    /// <summary>Gets the part this caller played.</summary>
    public SingleFlightRole Role { get; }

    /// <summary>
    /// Gets how many callers joined the flight in all, the leader and those who left early included; 1 when bypassed.
    /// </summary>
    public int CallerCount { get; }

    /// <summary>Gets the flight's number, unique within the process; 0 when bypassed.</summary>
    public long FlightId { get; }

    /// <summary>
    /// Gets how long this caller waited for the flight, on the <see cref="TimeProvider"/> of the pipeline builder: from
    /// its joining (for the leader: from the start) to the flight's outcome or its own leaving; zero when bypassed. On the system's clock it is
    /// off by up to 16 ms for flights that began before anybody in the process had looked at a time: a result, a snapshot or a metric.
    /// </summary>
    public TimeSpan WaitTime { get; }

    /// <summary>Why the caller was bypassed; without meaning for leaders and followers.</summary>
    internal BypassReason BypassReason { get; private init; }

    /// <summary>The result of a caller that ran alone. The values of the enumeration are its indexes.</summary>
    internal static SingleFlightResult Bypassed(BypassReason reason) => s_bypassed[(int)reason];

    SingleFlightResult? Flights.IParticipation.ToResult() => this;
}
