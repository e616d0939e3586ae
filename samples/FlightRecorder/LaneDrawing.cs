namespace FlightRecorder;

/// <summary>Draws one lane. Flights that overlap in it are stacked.</summary>
internal static class LaneDrawing
{
    private const double BarHeight = 18;
    private const double MaxFollowersHeight = 44;
    private const double Gap = 6;
    private const int MaxMarks = 300;

    public static void Add(HtmlPage page, string name, IReadOnlyList<RecordedFlight> flights, IReadOnlyList<RecordedSection> sections, TimeScale scale)
    {
        var rows = Stack(flights);
        var tops = new List<double> { 2 };
        foreach (var row in rows)
        {
            tops.Add(tops[^1] + BarHeight + row.Max(FollowersHeight) + Gap);
        }

        page.Add($"<h3>{name} <small>{flights.Count:#,0} {(flights.Count == 1 ? "flight" : "flights")}, {flights.Sum(static flight => flight.IsRefresh ? flight.Callers - 1L : flight.Callers):#,0} callers</small></h3>\n");
        page.Add($"<svg class=\"lane\" role=\"img\" aria-label=\"flights of {name}\" width=\"100%\" height=\"{tops[^1]:0}\">");
        foreach (var section in sections)
        {
            page.Add($"<line class=\"section\" x1=\"{scale.At(section.Start):0.##}%\" x2=\"{scale.At(section.Start):0.##}%\" y1=\"0\" y2=\"100%\"/>");
        }

        for (var row = 0; row < rows.Count; row++)
        {
            foreach (var flight in rows[row])
            {
                AddFlight(page, flight, tops[row], scale);
            }
        }

        page.AddMarkup("</svg>\n");
    }

    /// <summary>Puts each flight into the first row where it has room.</summary>
    private static List<List<RecordedFlight>> Stack(IReadOnlyList<RecordedFlight> flights)
    {
        var rows = new List<List<RecordedFlight>>();
        foreach (var flight in flights.OrderBy(static flight => flight.Start))
        {
            var row = rows.Find(row => row[^1].End is { } end && end <= flight.Start);
            if (row is null)
            {
                rows.Add(row = []);
            }

            row.Add(flight);
        }

        return rows;
    }

    private static void AddFlight(HtmlPage page, RecordedFlight flight, double top, TimeScale scale)
    {
        var (x, outcome) = (scale.At(flight.Start), Outcomes.Of(flight));
        var width = Math.Max(0.3, (flight.End is { } end ? scale.At(end) : 100) - x);
        var leader = flight.Leader ?? "no activity";
        page.Add($"<g><title>{outcome.Text}{(flight.ErrorType is null ? "" : ", ")}{flight.ErrorType}; leader: {leader}; {flight.Callers:#,0} callers; {(flight.End is null ? "in the air" : Seconds.Of(flight.End.Value - flight.Start))}</title>");
        page.Add($"<rect class=\"bar {outcome.Style}\" x=\"{x:0.##}%\" y=\"{top:0.#}\" width=\"{width:0.##}%\" height=\"{BarHeight}\" rx=\"3\"/>");
        page.Add($"<svg x=\"{x:0.##}%\" y=\"{top:0.#}\" width=\"{width:0.##}%\" height=\"{BarHeight}\"><text class=\"on {outcome.Style}\" x=\"5\" y=\"13.5\">{outcome.Sign} {leader} · {flight.Callers:#,0}</text></svg>");
        AddFollowers(page, flight, x, width, top + BarHeight + 1, scale);
        page.AddMarkup("</g>\n");
    }

    /// <summary>Thin lines in a drawing of their own, which is 1000 units wide and stretched to the length of the bar.</summary>
    private static void AddFollowers(HtmlPage page, RecordedFlight flight, double x, double width, double top, TimeScale scale)
    {
        if (flight.Followers.Count == 0)
        {
            return;
        }

        var height = FollowersHeight(flight);
        var followers = flight.Followers.OrderBy(static follower => follower.Joined).Select((follower, i) =>
            (Follower: follower, From: (scale.At(follower.Joined) - x) / width * 1000, To: (scale.At(follower.Left) - x) / width * 1000, Y: (i + 0.5) * height / flight.Followers.Count)).ToArray();
        page.Add($"<svg x=\"{x:0.##}%\" y=\"{top:0.#}\" width=\"{width:0.##}%\" height=\"{height:0.#}\" viewBox=\"0 0 1000 {height:0.#}\" preserveAspectRatio=\"none\">");
        foreach (var group in followers.GroupBy(static line => StyleOf(line.Follower)))
        {
            page.Add($"<path class=\"follower {group.Key}\" d=\"");
            foreach (var line in group)
            {
                page.Add($"M{line.From:0.#} {line.Y:0.##}H{line.To:0.#}");
            }

            page.AddMarkup("\"/>");
        }

        page.AddMarkup("</svg>");
        foreach (var line in followers.Where(static line => line.Follower.Outcome == "left").Take(MaxMarks))
        {
            page.Add($"<svg x=\"{scale.At(line.Follower.Left):0.##}%\" y=\"{top + line.Y:0.#}\" overflow=\"visible\"><path class=\"mark\" d=\"M-3-3l6 6m0-6l-6 6\"/></svg>");
        }
    }

    private static double FollowersHeight(RecordedFlight flight) => Math.Min(MaxFollowersHeight, flight.Followers.Count * 4);

    private static string StyleOf(RecordedFollower follower) => follower.Outcome switch
    {
        "failure" => "failure",
        "left" => "left",
        "elected" or "alone" => "other",
        _ => "success",
    };
}
