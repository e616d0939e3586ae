using System.Text.RegularExpressions;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>docs/telemetry.md names everything that the source reports, and its queries ask for nothing else.</summary>
public sealed partial class TelemetryDocumentTests
{
    private static readonly string s_source = string.Concat(RepositoryFiles.Read("src").Select(static file => file.Text));
    private static readonly string s_page = DocsTests.Read("docs/telemetry.md");

    [Fact]
    public void Page_NamesEveryInstrumentActivityAndTag()
    {
        var names = Name().Matches(s_source).Select(static name => name.Groups["text"].Value).Distinct().ToArray();
        Assert.Contains("polly.single_flight.executions", names);
        Assert.Contains("single_flight.wait", names);
        Assert.Contains("error.type", names);
        Assert.All(names, static name => Assert.Contains($"`{name}`", s_page, StringComparison.Ordinal));
    }

    [Fact]
    public void Page_NamesEveryEventWithItsSeverity()
    {
        var events = Event().Matches(s_source);
        Assert.NotEmpty(events);
        Assert.All(events, static @event => Assert.Contains(s_page.Split('\n'), line =>
            line.Contains($"`{@event.Groups["name"].Value}`", StringComparison.Ordinal) && line.Contains($"| {@event.Groups["severity"].Value}", StringComparison.Ordinal)));
    }

    [Fact]
    public void Page_ListsEveryLogRecordWithItsLevel()
    {
        var records = Record().Matches(s_source);
        Assert.NotEmpty(records);
        Assert.All(records, static record =>
            Assert.Matches($@"(?m)^\| {record.Groups["id"].Value} \| {record.Groups["level"].Value}\b", s_page));
        Assert.Equal(records.Count, ListedRecord().Count(s_page));
    }

    [Fact]
    public void Queries_AskForInstrumentsAndTagsThatExist()
    {
        var instruments = Instrument().Matches(s_source).Select(static instrument => Exported(
            instrument.Groups["kind"].Value, instrument.Groups["name"].Value, instrument.Groups["unit"].Value)).ToHashSet();
        var tags = Name().Matches(s_source).Select(static name => name.Groups["text"].Value.Replace('.', '_')).Append("success").Append("le").ToHashSet();

        var queries = Query().Matches(s_page[s_page.IndexOf("\n## Queries\n", StringComparison.Ordinal)..]).Select(static query => query.Value).ToArray();
        Assert.NotEmpty(queries);
        Assert.All(queries.SelectMany(static query => QueriedMetric().Matches(query)), metric => Assert.Contains(Suffix().Replace(metric.Value, ""), instruments));
        Assert.All(queries.SelectMany(static query => QueriedTag().Matches(query)), tag => Assert.Contains(tag.Groups["name"].Value, tags));
    }

    /// <summary>The name that exporters for Prometheus make: underscores, the unit if it is one, and _total for counters.</summary>
    private static string Exported(string kind, string name, string unit) =>
        name.Replace('.', '_') + (unit == "s" ? "_seconds" : "") + (kind == "Counter" ? "_total" : "");

    [GeneratedRegex(@"""(?<text>(?:polly\.single_flight|single_flight|pipeline|strategy|error)\.[a-z_.]+)""")]
    private static partial Regex Name();

    [GeneratedRegex(@"new\(ResilienceEventSeverity\.(?<severity>\w+), ""(?<name>\w+)""\)")]
    private static partial Regex Event();

    [GeneratedRegex(@"\[LoggerMessage\((?<id>\d+), LogLevel\.(?<level>\w+),")]
    private static partial Regex Record();

    [GeneratedRegex(@"^\| \d+ \| (?:Debug|Information|Warning|Error)\b", RegexOptions.Multiline)]
    private static partial Regex ListedRecord();

    [GeneratedRegex(@"\.Create(?<kind>Counter|UpDownCounter|Histogram)<\w+>\(\s*""(?<name>[\w.]+)"", ""(?<unit>[^""]+)""")]
    private static partial Regex Instrument();

    [GeneratedRegex("`[^`\n]*polly_[^`\n]*`")]
    private static partial Regex Query();

    [GeneratedRegex(@"\bpolly_\w+")]
    private static partial Regex QueriedMetric();

    [GeneratedRegex(@"_(?:bucket|sum|count)$")]
    private static partial Regex Suffix();

    [GeneratedRegex(@"(?<name>\w+)=""|by \((?<name>\w+)(?:, (?<name>\w+))?\)")]
    private static partial Regex QueriedTag();
}
