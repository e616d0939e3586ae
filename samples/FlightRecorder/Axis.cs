namespace FlightRecorder;

/// <summary>Draws an axis of seconds over the whole width.</summary>
internal static class Axis
{
    public static void Add(HtmlPage page, double length, double y)
    {
        page.Add($"<line class=\"axis\" x1=\"0\" x2=\"100%\" y1=\"{y:0.#}\" y2=\"{y:0.#}\"/>");
        var step = Seconds.Step(length, 6);
        for (var mark = 0.0; mark <= length; mark += step)
        {
            var x = mark / length * 100;
            var anchor = mark == 0 ? "start" : x > 94 ? "end" : "middle";
            page.Add($"<line class=\"axis\" x1=\"{x:0.##}%\" x2=\"{x:0.##}%\" y1=\"{y:0.#}\" y2=\"{y + 4:0.#}\"/>");
            page.Add($"<text class=\"tick\" x=\"{x:0.##}%\" y=\"{y + 17:0.#}\" text-anchor=\"{anchor}\">{Seconds.Of(Math.Round(mark, 6))}</text>");
        }
    }
}
