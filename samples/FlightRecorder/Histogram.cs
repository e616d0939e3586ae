namespace FlightRecorder;

/// <summary>Draws the distribution of waits, with and without.</summary>
internal static class Histogram
{
    private const int Bins = 25;
    private const double Height = 110;

    public static void Add(HtmlPage page, Waits waits)
    {
        if (waits.With.Count == 0)
        {
            return;
        }

        var max = Math.Max(waits.With[^1], waits.Without.Count > 0 ? waits.Without[^1] : 0) * 1.0001;
        max = max > 0 ? max : 1;
        page.AddMarkup("<h2>Waits of callers</h2>\n<div class=\"two\">");
        AddPanel(page, "with", "With single flight", waits.With, max);
        AddPanel(page, "without", waits.IsEstimate ? "Without, estimated" : "Without, measured", waits.Without, max);
        page.AddMarkup("</div>\n<p class=\"note\">Share of callers by their wait. Callers that a cache answered count as 0 s.");
        page.AddMarkup(waits.IsEstimate ? " The estimate: each caller's own call would have taken as long as the flight that it joined.</p>\n" : "</p>\n");
    }

    private static void AddPanel(HtmlPage page, string style, string title, IReadOnlyList<double> waits, double max)
    {
        var counts = new int[Bins];
        foreach (var wait in waits)
        {
            counts[Math.Clamp((int)(wait / max * Bins), 0, Bins - 1)]++;
        }

        var highest = Math.Max(1, counts.Max());
        var top = Array.IndexOf(counts, highest);
        page.Add($"<figure><figcaption>{title}: {waits.Count:#,0} callers</figcaption><svg role=\"img\" aria-label=\"{title}\" width=\"100%\" height=\"{Height + 38}\">");
        for (var bin = 0; bin < Bins; bin++)
        {
            var height = counts[bin] * Height / highest;
            var share = counts[bin] / (double)waits.Count;
            if (counts[bin] > 0)
            {
                page.Add($"<rect class=\"{style}\" x=\"{100.0 * bin / Bins:0.##}%\" width=\"{80.0 / Bins:0.##}%\" y=\"{Height - height + 14:0.#}\" height=\"{height:0.#}\"><title>{Seconds.Of(max * bin / Bins)} to {Seconds.Of(max * (bin + 1) / Bins)}: {counts[bin]:#,0} callers, {share:0.0%}</title></rect>");
            }

            if (bin == top)
            {
                var (anchor, shift) = bin < 2 ? ("start", 0) : bin > Bins - 3 ? ("end", 0.8) : ("middle", 0.4);
                page.Add($"<text x=\"{100.0 * (bin + shift) / Bins:0.##}%\" y=\"10\" text-anchor=\"{anchor}\">{share:0%}</text>");
            }
        }

        Axis.Add(page, max, Height + 14);
        page.AddMarkup("</svg></figure>");
    }
}
