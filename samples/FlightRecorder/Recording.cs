namespace FlightRecorder;

/// <summary>What a recorder has seen, as it was at one moment.</summary>
/// <param name="Start">When the recorder began.</param>
/// <param name="End">The moment.</param>
/// <param name="Flights">The flights that were kept, in the order of their start.</param>
/// <param name="Sections">The sections that were kept, with counts of all that happened in them, dropped or not.</param>
/// <param name="Dropped">What was not kept.</param>
public sealed record Recording(
    DateTimeOffset Start,
    DateTimeOffset End,
    IReadOnlyList<RecordedFlight> Flights,
    IReadOnlyList<RecordedSection> Sections,
    DroppedCounts Dropped);

/// <summary>One execution, shared by its callers.</summary>
/// <param name="Lane">Name of the lane.</param>
/// <param name="Leader">Display name of the leader's activity; null if it had none.</param>
/// <param name="IsRefresh">Whether it is a refresh by the cache, for which no caller waits unless it joins.</param>
/// <param name="Start">When its callback began.</param>
/// <param name="End">When it ended; null if it was in the air.</param>
/// <param name="Outcome">Outcome as in the tag <c>single_flight.outcome</c>; null if it was in the air or has no such tag.</param>
/// <param name="ErrorType">Type of the exception of a failure.</param>
/// <param name="Callers">How many joined, as the flight reports at its end. Until then those that are known.</param>
/// <param name="Followers">Followers that have left, in the order in which they did.</param>
public sealed record RecordedFlight(
    string Lane,
    string? Leader,
    bool IsRefresh,
    DateTimeOffset Start,
    DateTimeOffset? End,
    string? Outcome,
    string? ErrorType,
    int Callers,
    IReadOnlyList<RecordedFollower> Followers);

/// <summary>One caller that joined a flight, and has left.</summary>
/// <param name="Joined">When it joined.</param>
/// <param name="Left">When it was let go.</param>
/// <param name="Outcome">Outcome as in the tag <c>single_flight.outcome</c>; null without such a tag.</param>
/// <param name="ErrorType">Type of the exception of a failure.</param>
public sealed record RecordedFollower(DateTimeOffset Joined, DateTimeOffset Left, string? Outcome, string? ErrorType)
{
    /// <summary>Gets how long it waited.</summary>
    public TimeSpan Wait => Left - Joined;
}

/// <summary>A part of the recording, and what the library counted in it.</summary>
/// <param name="Name">Name that the application gave.</param>
/// <param name="Start">When it began.</param>
/// <param name="Flights">Flights that began.</param>
/// <param name="Leaders">Executions that ended as leader.</param>
/// <param name="Followers">Executions that ended as follower.</param>
/// <param name="Bypassed">Executions that ran alone.</param>
/// <param name="CacheHits">Executions that the cache answered.</param>
/// <param name="Refreshes">Refreshes by the cache that ended; nobody waits for their executions.</param>
public sealed record RecordedSection(
    string Name, DateTimeOffset Start, long Flights, long Leaders, long Followers, long Bypassed, long CacheHits, long Refreshes)
{
    /// <summary>Gets the number of callers that were answered: what they would have called without single flight and cache.</summary>
    public long Callers => Leaders + Followers + Bypassed + CacheHits - Refreshes;

    /// <summary>Gets the number of calls that were made.</summary>
    public long Calls => Flights + Bypassed;
}

/// <summary>What a recorder has seen and not kept.</summary>
/// <param name="Flights">Flights.</param>
/// <param name="Followers">Followers, those of dropped flights and those whose flight is not known.</param>
/// <param name="Sections">Sections.</param>
public sealed record DroppedCounts(long Flights, long Followers, long Sections);
