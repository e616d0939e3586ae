using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Polly.SingleFlight.Tests.Telemetry;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>docs/telemetry.md names everything that the source reports. <see cref="QueryTests"/> compares its queries with what is exported.</summary>
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

    /// <summary>Those are the lines that turn everything on.</summary>
    [Fact]
    public void Page_TurnsOnEveryMeterAndActivitySource()
    {
        Assert.Equal(LibraryInstruments.Meters.Order(StringComparer.Ordinal), TurnedOn("AddMeter").Where(static name => name != "Polly").Order(StringComparer.Ordinal));
        Assert.Equal(LibraryInstruments.ActivitySources.Order(StringComparer.Ordinal), TurnedOn("AddSource").Order(StringComparer.Ordinal));

        // One that is made where the fields of types do not show it is found in the source.
        Assert.Equal(LibraryInstruments.Meters.Count + LibraryInstruments.ActivitySources.Count, Maker().Count(s_source));
    }

    [Fact]
    public void Page_ListsEveryInstrumentWithItsKindAndUnit() => Assert.All(LibraryInstruments.All, static instrument => Assert.Matches(
        $@"(?m)^\| `{Regex.Escape(instrument.Name)}` \| {Kind(instrument)}, `{Regex.Escape(instrument.Unit!)}` \|", s_page));

#if NET9_0_OR_GREATER
    [Fact]
    public void Page_ListsTheBucketsOfEveryHistogram()
    {
        var histograms = LibraryInstruments.All.Where(static instrument => Kind(instrument) == "histogram").ToArray();
        Assert.Equal(4, histograms.Length);
        Assert.All(histograms, static histogram => Assert.Matches(
            $@"(?m)^\| `{Regex.Escape(histogram.Name)}`[^|\n]* \| {Regex.Escape(string.Join(", ", LibraryInstruments.Boundaries(histogram)))} \|$", s_page));
    }
#endif

    private static string Kind(Instrument instrument) => instrument.GetType().Name switch
    {
        "Counter`1" => "counter",
        "UpDownCounter`1" => "up-down counter",
        "Histogram`1" => "histogram",
        var other => throw new NotSupportedException(other),
    };

    private static IEnumerable<string> TurnedOn(string method)
    {
        var lines = s_page[s_page.IndexOf("\n## Turn it on\n", StringComparison.Ordinal)..s_page.IndexOf("\n## Metrics of single flight\n", StringComparison.Ordinal)];
        return Quoted().Matches(Regex.Match(lines, $@"\.{method}\((?<names>[^)]*)\)").Groups["names"].Value).Select(static name => name.Groups["name"].Value);
    }

    [GeneratedRegex(@"""(?<text>(?:polly\.single_flight|single_flight|pipeline|strategy|error)\.[a-z_.]+)""")]
    private static partial Regex Name();

    [GeneratedRegex(@"new\(ResilienceEventSeverity\.(?<severity>\w+), ""(?<name>\w+)""\)")]
    private static partial Regex Event();

    [GeneratedRegex(@"\[LoggerMessage\((?<id>\d+), LogLevel\.(?<level>\w+),")]
    private static partial Regex Record();

    [GeneratedRegex(@"^\| \d+ \| (?:Debug|Information|Warning|Error)\b", RegexOptions.Multiline)]
    private static partial Regex ListedRecord();

    [GeneratedRegex(@"\b(?:Meter|ActivitySource) \w+ = new\(|new (?:Meter|ActivitySource)\(|IMeterFactory")]
    private static partial Regex Maker();

    [GeneratedRegex(@"""(?<name>[\w.]+)""")]
    private static partial Regex Quoted();
}
