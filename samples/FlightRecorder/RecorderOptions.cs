using System.Diagnostics;

namespace FlightRecorder;

/// <summary>What a <see cref="Recorder"/> keeps, and what it knows of callers.</summary>
public sealed class RecorderOptions
{
    /// <summary>Gets how many flights are kept; the oldest are dropped. The default is 1000.</summary>
    public int MaxFlights { get; init; } = 1000;

    /// <summary>Gets how many followers of all flights are kept; the oldest flights are dropped with theirs. The default is 50,000.</summary>
    public int MaxFollowers { get; init; } = 50_000;

    /// <summary>Gets how many sections are kept, see <see cref="Recorder.BeginSection"/>. The default is 100.</summary>
    public int MaxSections { get; init; } = 100;

    /// <summary>
    /// Gets the function that names the lane of a caller's activity; <see langword="null"/> if it has none. It is asked for the leader's
    /// activity and those around it, the nearest first. The default, null, gives each pipeline a lane.
    /// </summary>
    /// <remarks>
    /// The library reports no keys. An application that wants a lane for each key has something of it in a tag of its own:
    /// <c>Lane = activity => activity.GetTagItem("region") as string</c>. It runs on the caller's thread, so it must be fast.
    /// </remarks>
    public Func<Activity, string?>? Lane { get; init; }

    /// <summary>
    /// Gets the names of sources of callers' activities, such as <c>Microsoft.AspNetCore</c>. They are listened to, so that these activities
    /// exist even if nothing else asks for them. The default is none.
    /// </summary>
    public IReadOnlyCollection<string> CallerSources { get; init; } = [];

    /// <summary>Gets the clock. The default is <see cref="TimeProvider.System"/>. Activities have the time of the system in any case.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
