using Spectre.Console;

namespace HttpClientDemo;

/// <summary>What is shown of a wave, while it runs and when it is over.</summary>
internal sealed class Report(DemoOptions options, WavePlan plan, Wave wave, UpstreamCount upstream)
{
    public static string Heading(DemoOptions options, ITokenEndpoint endpoint) =>
        $"{options.Callers} callers, {options.Gap.TotalMilliseconds:0.#####} ms apart, over {options.Regions.Count} regions" + Environment.NewLine
        + "pipeline: " + DescribePipeline(options) + Environment.NewLine
        + $"token endpoint: {endpoint.Name}";

    /// <summary>The verdict: how many callers there were, and how many requests they cost.</summary>
    public string Verdict
    {
        get
        {
            var supported = wave.Tallies.Where(tally => tally.Region.IsSupported).ToArray();
            return (plan.Name is null ? "" : $"{plan.Name}: ")
                + $"{supported.Sum(tally => tally.Callers)} callers, {supported.Sum(tally => upstream.CallsFor(tally.Region))} upstream calls"
                + (plan.IsRefreshed ? $", {supported.Sum(tally => tally.CountWaiters())} callers waited" : "");
        }
    }

    /// <summary>What the callers of the unsupported region got, or null if there were none.</summary>
    public string? Refusal =>
        wave.Tallies.SingleOrDefault(tally => !tally.Region.IsSupported) is { } tally
            ? $"{tally.Region.Name}: {tally.Callers} callers refused, upstream calls: {upstream.CallsFor(tally.Region)}, error: "
                + tally.GetAnswers()[0].Error?.Message
            : null;

    /// <summary>Brings the numbers of upstream calls up to date.</summary>
    public Task UpdateAsync() => upstream.UpdateAsync();

    /// <summary>One line about a wave on its way.</summary>
    public string Progress(TimeSpan elapsed) =>
        $"{elapsed.TotalSeconds,5:0.0} s: {wave.Tallies.Sum(tally => tally.Callers)} callers arrived, "
        + $"{wave.Tallies.Sum(tally => tally.GetAnswers().Count)} answered, "
        + $"{wave.Tallies.Sum(tally => upstream.CallsFor(tally.Region))} upstream calls";

    /// <summary>The regions as they are now.</summary>
    public Table CreateTable()
    {
        var table = new Table()
            .Border(TableBorder.Square)
            .AddColumn("region")
            .AddColumn(RightAligned("delay"))
            .AddColumn(RightAligned("callers"))
            .AddColumn(RightAligned("waiting"))
            .AddColumn(RightAligned("upstream"))
            .AddColumn(RightAligned("p50"))
            .AddColumn(RightAligned("p99"));
        foreach (var tally in wave.Tallies)
        {
            TimeSpan[] latencies = [.. tally.GetAnswers().Select(answer => answer.Latency).Order()];
            table.AddRow(
                tally.Region.Name,
                Format(options.Scale(tally.Region.Delay)),
                $"{tally.Callers}",
                $"{Math.Max(0, tally.Callers - latencies.Length)}",
                $"{upstream.CallsFor(tally.Region)}",
                Percentile(latencies, 50),
                Percentile(latencies, 99));
        }

        return table;
    }

    private static string DescribePipeline(DemoOptions options) =>
        options.Without ? "retry -> timeout, without single flight"
        : options.IsCached ? "cache -> single flight, around the client's single flight -> retry -> timeout"
        : "single flight -> retry -> timeout";

    private static TableColumn RightAligned(string heading) => new TableColumn(heading).RightAligned();

    /// <summary>The smallest latency that the given share of callers did not exceed.</summary>
    private static string Percentile(TimeSpan[] sorted, int percent) =>
        sorted.Length == 0 ? "-" : Format(sorted[(int)Math.Ceiling(sorted.Length * percent / 100.0) - 1]);

    private static string Format(TimeSpan time) =>
        time < TimeSpan.FromSeconds(1) ? $"{time.TotalMilliseconds:0} ms" : $"{time.TotalSeconds:0.00} s";
}
