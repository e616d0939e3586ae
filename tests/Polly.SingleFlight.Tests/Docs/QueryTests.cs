using System.Text.Json;
using System.Text.RegularExpressions;
using Polly.SingleFlight.Redis;
using Polly.SingleFlight.Tests.Flights;
using Polly.SingleFlight.Tests.Telemetry;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>
/// The queries of docs/telemetry.md, of the dashboard and of the rules ask for metrics, labels and values that OpenTelemetry's exporter for Prometheus writes.
/// It sees the whole process, so these tests run by themselves.
/// </summary>
[Collection(nameof(WholeThreadPool))]
public sealed partial class QueryTests
{
    private const string Dashboard = "docs/dashboards/grafana.json";
    private const string Rules = "docs/dashboards/rules.yml";

    /// <summary>What Prometheus adds to every series that it reads.</summary>
    private static readonly string[] s_added = ["job", "instance"];

    public static TheoryData<string, int> Files() => new() { { "docs/telemetry.md", 11 }, { Dashboard, 20 }, { Rules, 10 } };

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Queries_AskForWhatIsExported(string file, int atLeast)
    {
        var exported = await Exported();
        var queries = Queries(file).ToArray();
        Assert.True(queries.Length >= atLeast, $"only {queries.Length} queries");
        var wrong = queries.SelectMany(query => Complaints(query, exported).Select(complaint => $"{complaint}: {query}"));
        Assert.Empty(wrong);
    }

    /// <summary>The other way round: nothing that is counted is missing on the dashboard.</summary>
    [Fact]
    public async Task Dashboard_ShowsEveryMetric()
    {
        var shown = string.Concat(Queries(Dashboard));
        var metrics = (await Exported()).Keys.Select(static name => Suffix().Replace(name, "")).Distinct();
        Assert.All(metrics, name => Assert.Contains(name, shown, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("rate(polly_single_flight_execution_total[5m])", "polly_single_flight_execution_total")]
    [InlineData("sum(polly_single_flight_callers_count{single_flight_role=\"leader\"})", "single_flight_role")]
    [InlineData("sum by (le, pipeline) (polly_single_flight_callers_bucket)", "pipeline")]
    [InlineData("sum(polly_single_flight_executions_total{single_flight_role=\"follow\"})", "follow")]
    [InlineData("sum(polly_single_flight_executions_total{single_flight_bypass_reason=~\"NoKey|Reentrant\"})", "Reentrant")]
    [InlineData("single_flight:saved:ratio5m > 1", "single_flight:saved:ratio5m")]
    [InlineData("label_values(polly_single_flight_executions_total, pipeline)", "pipeline")]
    public async Task Check_OfAWrongQuery_NamesWhatIsWrong(string query, string wrong) => Assert.Equal([wrong], Complaints(query, await Exported()));

    /// <summary>The page of a dashboard has everything that Grafana needs to import it.</summary>
    [Fact]
    public void Dashboard_IsImportable()
    {
        using var dashboard = JsonDocument.Parse(RepositoryFiles.ReadFile(Dashboard));
        var variables = dashboard.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray().Select(static variable => variable.GetProperty("name").GetString()!).ToArray();
        Assert.Equal(["datasource", "job", "pipeline"], variables);
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToArray();
        Assert.Equal(panels.Length, panels.Select(static panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        var drawn = panels.Where(static panel => panel.GetProperty("type").GetString() != "row").ToArray();
        Assert.All(drawn, static panel => Assert.Equal("${datasource}", panel.GetProperty("datasource").GetProperty("uid").GetString()));
        var used = Queries(Dashboard).SelectMany(static query => Variable().Matches(query)).Select(static name => name.Groups["name"].Value).Distinct();
        Assert.Equal(["job", "pipeline"], used.Where(static name => !name.StartsWith("__", StringComparison.Ordinal)).Order());
    }

    /// <summary>Each rule has one name and one query; alerts say how bad it is and what it means.</summary>
    [Fact]
    public void Rules_AreWellFormed()
    {
        var text = RepositoryFiles.ReadFile(Rules);
        Assert.DoesNotContain('\t', text);
        var rules = text.Split("\n      - ")[1..];
        Assert.Equal(Queries(Rules).Count(), rules.Length);
        Assert.All(rules, static rule => Assert.Matches(@"\A(?:record: single_flight:\w+:\w+|alert: \w+)\n        expr: \S", rule));
        Assert.All(rules.Where(static rule => rule.StartsWith("alert", StringComparison.Ordinal)), static rule =>
            Assert.Matches(@"\n        labels:\n          severity: (?:warning|critical)\n        annotations:\n          summary: \S.*\n          description: \S", rule));
    }

    private static IEnumerable<string> Complaints(string query, Dictionary<string, Dictionary<string, HashSet<string>>> exported)
    {
        var labels = s_added.ToHashSet();
        foreach (Match selector in Selector().Matches(query))
        {
            var name = selector.Groups["name"].Value;
            if (!exported.TryGetValue(name, out var known))
            {
                yield return name;
                continue;
            }

            labels.UnionWith(known.Keys);
            foreach (Match matcher in Matcher().Matches(selector.Groups["matchers"].Value))
            {
                var (label, value) = (matcher.Groups["label"].Value, matcher.Groups["value"].Value);
                if (!known.TryGetValue(label, out var values))
                {
                    if (!s_added.Contains(label))
                    {
                        yield return label;
                    }

                    continue;
                }

                foreach (var one in value.Split('|').Where(one => !one.StartsWith('$') && !values.Contains(one)))
                {
                    yield return one;
                }
            }
        }

        // Names of recorded metrics, which have the labels that their own query gives them.
        var recorded = Recorded().Matches(RepositoryFiles.ReadFile(Rules)).Select(static rule => rule.Groups["name"].Value).ToArray();
        foreach (Match name in RecordedName().Matches(query))
        {
            if (!recorded.Contains(name.Value))
            {
                yield return name.Value;
            }
        }

        foreach (var label in Grouping().Matches(query).SelectMany(static grouping => grouping.Groups["labels"].Value.Split(", ")).Where(label => !labels.Contains(label)))
        {
            yield return label;
        }
    }

    private static IEnumerable<string> Queries(string file)
    {
        var text = RepositoryFiles.ReadFile(file);
        return file switch
        {
            Dashboard => DashboardQuery().Matches(text).Select(static query => JsonSerializer.Deserialize<string>(query.Groups["text"].Value)!),
            Rules => RuleQuery().Matches(text).Select(static query => query.Groups["text"].Value),
            _ => PageQuery().Matches(text).Select(static query => query.Groups["text"].Value),
        };
    }

    /// <summary>The names of the series, their labels, and the values of these.</summary>
    private static async Task<Dictionary<string, Dictionary<string, HashSet<string>>>> Exported()
    {
        await using var scrape = await Scrape.StartAsync();
        LibraryInstruments.RecordEverything();

        // Flights are counted where they start and end.
        await new ResiliencePipelineBuilder { Name = "tokens", InstanceName = "eu" }.AddSingleFlight().Build().ExecuteSingleFlightAsync("key", static _ => new ValueTask<int>(1));
        var exported = new Dictionary<string, Dictionary<string, HashSet<string>>>();
        foreach (var sample in await scrape.ReadAsync())
        {
            var labels = exported.TryGetValue(sample.Name, out var known) ? known : exported[sample.Name] = [];
            foreach (var (name, value) in sample.Labels)
            {
                (labels.TryGetValue(name, out var values) ? values : labels[name] = []).Add(value);
            }
        }

        Assert.Equal(LibraryInstruments.All.Count, exported.Keys.Select(static name => Suffix().Replace(name, "")).Distinct().Count());
        Assert.Contains(nameof(DistributedBypassReason.Unavailable), exported["polly_single_flight_distributed_executions_total"]["single_flight_distributed_reason"]);
        return exported;
    }

    [GeneratedRegex(@"_(?:bucket|sum|count)$")]
    private static partial Regex Suffix();

    [GeneratedRegex(@"\b(?<name>polly_\w+)(?:\{(?<matchers>[^}]*)\})?")]
    private static partial Regex Selector();

    [GeneratedRegex(@"(?<label>\w+)(?:=~|!~|!=|=)""(?<value>[^""]*)""")]
    private static partial Regex Matcher();

    [GeneratedRegex(@"\b(?:by|without|on|ignoring) \((?<labels>[^)]+)\)|label_values\(\w+, (?<labels>\w+)\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"\bsingle_flight:\w+:\w+")]
    private static partial Regex RecordedName();

    [GeneratedRegex(@"record: (?<name>\S+)")]
    private static partial Regex Recorded();

    [GeneratedRegex(@"\$(?<name>\w+)")]
    private static partial Regex Variable();

    [GeneratedRegex(@"""(?:expr|query|definition)"": (?<text>""(?:[^""\\]|\\.)*polly_(?:[^""\\]|\\.)*"")")]
    private static partial Regex DashboardQuery();

    [GeneratedRegex(@"^        expr: (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex RuleQuery();

    [GeneratedRegex("^\\|[^|\n]*\\| `(?<text>[^`\n]*polly_[^`\n]*)` \\|$", RegexOptions.Multiline)]
    private static partial Regex PageQuery();
}
