using FlightRecorder;

namespace HttpClientDemo;

/// <summary>The page of --report. It is drawn from the library's telemetry alone, beside the table that the demo prints.</summary>
internal static class FlightReport
{
    /// <summary>Begins to record. The library tells nobody its keys, so the lane of a flight is a tag of the caller's own activity.</summary>
    public static Recorder StartRecorder() => new(new RecorderOptions
    {
        CallerSources = [Crowd.Source],
        Lane = static activity => activity.GetTagItem("region") as string,
    });

    public static async Task WriteAsync(string path, Recording recording, IReadOnlyList<Result> results, CancellationToken cancellationToken)
    {
        await Report.WriteAsync(
            path,
            recording,
            new ReportOptions
            {
                Title = "The flights of the demo",
                WaitsWithout = results.FirstOrDefault(static result => result.Wave.Sharing == Sharing.Nothing)?.Waits,
                Tables = [new("waves", "What the demo counted at the callers and at the endpoint", ClosingTable.Headers, ClosingTable.Rows(results))],
            },
            cancellationToken);
        Console.WriteLine($"The flights are drawn in {path}.");
    }
}
