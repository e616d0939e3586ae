namespace FlightRecorder;

/// <summary>What a report shows beside the recording.</summary>
public sealed class ReportOptions
{
    /// <summary>Gets the title. The default is "Flights".</summary>
    public string Title { get; init; } = "Flights";

    /// <summary>
    /// Gets waits of callers that were measured without single flight, for comparison. The default, null, has them estimated: as if each
    /// caller's own call had taken as long as the flight that it joined.
    /// </summary>
    public IReadOnlyList<TimeSpan>? WaitsWithout { get; init; }

    /// <summary>Gets tables of the application's own. The default is none.</summary>
    public IReadOnlyList<ReportTable> Tables { get; init; } = [];
}

/// <summary>A table of the application's own.</summary>
/// <param name="Id">Identifier of its element in the page.</param>
/// <param name="Title">Title above it.</param>
/// <param name="Headers">Headers of its columns.</param>
/// <param name="Rows">Cells of its rows. Those after the first are aligned as numbers.</param>
public sealed record ReportTable(string Id, string Title, IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows);
