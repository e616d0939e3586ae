namespace FlightRecorder;

/// <summary>Draws the flights over time, in a lane for each name.</summary>
internal static class Timeline
{
    public static void Add(HtmlPage page, Recording recording)
    {
        page.AddMarkup("<h2>Timeline</h2>\n");
        if (recording.Flights.Count == 0)
        {
            page.AddMarkup("<p>No flight was recorded.</p>\n");
            return;
        }

        AddLegend(page);
        var scale = TimeScale.Of(recording);
        AddTop(page, recording, scale);
        foreach (var lane in recording.Flights.GroupBy(static flight => flight.Lane))
        {
            LaneDrawing.Add(page, lane.Key, [.. lane], recording.Sections, scale);
        }

        page.AddMarkup("<svg class=\"axis-only\" width=\"100%\" height=\"24\" aria-hidden=\"true\">");
        Axis.Add(page, scale.Length.TotalSeconds, 1);
        page.AddMarkup("</svg>\n");
    }

    private static void AddLegend(HtmlPage page)
    {
        page.AddMarkup("<p class=\"legend\">");
        foreach (var outcome in new[] { Outcomes.Success, Outcomes.Failure, Outcomes.Abandoned, Outcomes.InTheAir })
        {
            page.Add($"<span><svg width=\"34\" height=\"16\" aria-hidden=\"true\">");
            page.Add($"<rect class=\"bar {outcome.Style}\" x=\"1\" y=\"1\" width=\"32\" height=\"14\" rx=\"3\"/><text class=\"on {outcome.Style}\" x=\"11\" y=\"12.5\">{outcome.Sign}</text></svg> {outcome.Text}</span> ");
        }

        page.AddMarkup("<span><svg width=\"34\" height=\"16\" aria-hidden=\"true\"><path class=\"follower success\" d=\"M2 4H32M8 8H32M14 12H32\"/></svg> followers, from joining to leaving</span> ");
        page.AddMarkup("<span><svg width=\"18\" height=\"16\" aria-hidden=\"true\"><path class=\"follower left\" d=\"M0 8H12\"/><path class=\"mark\" d=\"M9 5l6 6m0-6l-6 6\"/></svg> left early, by its own token</span> ");
        page.AddMarkup("<span>on a bar: the leader and, after the dot, how many callers</span></p>\n");
    }

    /// <summary>Numbers where sections begin, and their names below.</summary>
    private static void AddTop(HtmlPage page, Recording recording, TimeScale scale)
    {
        page.AddMarkup("<p class=\"sections\">");
        for (var i = 0; i < recording.Sections.Count; i++)
        {
            page.Add($"<span><b>{i + 1}</b> {recording.Sections[i].Name}</span> ");
        }

        page.AddMarkup("</p>\n<svg class=\"axis-only\" width=\"100%\" height=\"20\" aria-hidden=\"true\">");
        for (var i = 0; i < recording.Sections.Count; i++)
        {
            page.Add($"<text class=\"number\" x=\"{scale.At(recording.Sections[i].Start):0.##}%\" y=\"15\" dx=\"2\">{i + 1}</text>");
        }

        page.AddMarkup("</svg>\n");
    }
}
