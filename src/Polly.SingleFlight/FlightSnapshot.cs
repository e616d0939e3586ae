namespace Polly.SingleFlight;

/// <summary>
/// One joinable flight at the moment <see cref="SingleFlightGroup.GetFlights"/> looked.
/// </summary>
/// <param name="Key">The key its callers share.</param>
/// <param name="ResultType">The declared result type; <c>typeof(void)</c> for executions without a result.</param>
/// <param name="CallerCount">How many callers were waiting for it, the leader included.</param>
/// <param name="Age">The time since it started.</param>
public readonly record struct FlightSnapshot(object Key, Type ResultType, int CallerCount, TimeSpan Age);
