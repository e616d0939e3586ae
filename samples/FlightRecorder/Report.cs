using System.Text;

namespace FlightRecorder;

/// <summary>Writes a recording as one HTML page that loads nothing else.</summary>
public static class Report
{
    /// <summary>Writes the page into a file.</summary>
    /// <param name="path">The file, which is overwritten.</param>
    /// <param name="recording">The recording.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    public static Task WriteAsync(string path, Recording recording, ReportOptions? options = null, CancellationToken cancellationToken = default) =>
        File.WriteAllTextAsync(path, ToHtml(recording, options), new UTF8Encoding(false), cancellationToken);

    /// <summary>Makes the page.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="options">The options; null means the defaults.</param>
    public static string ToHtml(Recording recording, ReportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(recording);
        options ??= new();
        var page = new HtmlPage();
        page.Add($"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{options.Title}</title>");
        page.AddMarkup("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<style>");
        page.AddMarkup(Style.Css);
        page.AddMarkup("</style></head>\n<body>");
        page.AddMarkup(Style.Patterns);
        page.Add($"<main><h1>{options.Title}</h1>\n");

        var waits = Waits.Of(recording, options.WaitsWithout);
        AddSummary(page, recording);
        Timeline.Add(page, recording);
        Histogram.Add(page, waits);
        Tables.AddWaits(page, waits);
        Tables.AddSections(page, recording);
        foreach (var table in options.Tables)
        {
            Tables.Add(page, table);
        }

        Tables.AddFlights(page, recording);
        page.AddMarkup("</main></body></html>\n");
        return page.ToString();
    }

    private static void AddSummary(HtmlPage page, Recording recording)
    {
        var (callers, calls) = (recording.Sections.Sum(static section => section.Callers), recording.Sections.Sum(static section => section.Calls));
        page.Add($"<p class=\"big\"><b>{callers:#,0}</b> callers, <b>{calls:#,0}</b> calls</p>\n");
        page.Add($"<p>{recording.Start:yyyy-MM-dd HH:mm:ss} UTC, {Seconds.Of(recording.End - recording.Start)}. Drawn from the activities and the meters of Polly.SingleFlight.");
        if (recording.Dropped is not { Flights: 0, Followers: 0, Sections: 0 })
        {
            var (flights, followers, sections) = recording.Dropped;
            page.Add($" <b class=\"dropped\">Not drawn, since the recorder keeps the latest only: {flights:#,0} flights, {followers:#,0} followers, {sections:#,0} sections.</b>");
        }

        page.AddMarkup("</p>\n");
    }
}
