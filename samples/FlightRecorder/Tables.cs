namespace FlightRecorder;

/// <summary>Writes the numbers as tables.</summary>
internal static class Tables
{
    public static void AddWaits(HtmlPage page, Waits waits) => Add(page, new(
        "waits",
        "Waits as numbers",
        ["", "callers", "p50", "p90", "p99", "max"],
        [Row("with single flight", waits.With), Row(waits.IsEstimate ? "without, estimated" : "without, measured", waits.Without)]));

    public static void AddSections(HtmlPage page, Recording recording)
    {
        Add(page, new(
            "sections",
            "Numbers of each section",
            ["section", "callers", "calls", "calls saved", "followers", "cache hits", "ran alone"],
            [.. recording.Sections.Select(static section => (IReadOnlyList<string>)
            [
                section.Name, $"{section.Callers}", $"{section.Calls}", $"{section.Callers - section.Calls}",
                $"{section.Followers}", $"{section.CacheHits}", $"{section.Bypassed}",
            ])]));
        page.AddMarkup("<p class=\"note\">Counted by the library. Calls that do not go through it are not seen. A flight counts as one call.</p>\n");
    }

    public static void AddFlights(HtmlPage page, Recording recording) => Add(page, new(
        "flights",
        "Flights",
        ["lane", "leader", "begins at", "takes", "outcome", "callers", "left early"],
        [.. recording.Flights.Select(flight => (IReadOnlyList<string>)
        [
            flight.Lane, flight.Leader ?? "-", Seconds.Of(flight.Start - recording.Start),
            flight.End is { } end ? Seconds.Of(end - flight.Start) : "in the air",
            flight.ErrorType is null ? Outcomes.Of(flight).Text : $"{Outcomes.Of(flight).Text}: {flight.ErrorType}",
            $"{flight.Callers}", $"{flight.Followers.Count(static follower => follower.Outcome == "left")}",
        ])]));

    public static void Add(HtmlPage page, ReportTable table)
    {
        page.Add($"<h2>{table.Title}</h2>\n<div class=\"scroll\" tabindex=\"0\"><table id=\"{table.Id}\"><thead><tr>");
        foreach (var header in table.Headers)
        {
            page.Add($"<th>{header}</th>");
        }

        page.AddMarkup("</tr></thead><tbody>\n");
        foreach (var row in table.Rows)
        {
            page.AddMarkup("<tr>");
            foreach (var cell in row)
            {
                page.Add($"<td>{cell}</td>");
            }

            page.AddMarkup("</tr>\n");
        }

        page.AddMarkup("</tbody></table></div>\n");
    }

    private static IReadOnlyList<string> Row(string name, IReadOnlyList<double> waits) =>
        [name, $"{waits.Count}", Waits.At(waits, 0.5), Waits.At(waits, 0.9), Waits.At(waits, 0.99), Waits.At(waits, 1)];
}
