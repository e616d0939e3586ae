using System.Globalization;
using System.Text.RegularExpressions;

namespace FlightRecorder.Tests;

/// <summary>The page of a recording that is made up.</summary>
public sealed class ReportTests
{
    private const string Nasty = "<script>alert('x')</script>\"&";

    private static readonly DateTimeOffset s_start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Texts_FromOutside_AreEncodedEverywhere()
    {
        var recording = Recording(
            [Flight(Nasty, 0, 2, Nasty) with { ErrorType = Nasty, Leader = Nasty, Followers = [Follower(1, 2, Nasty)] }],
            [new RecordedSection(Nasty, s_start, 1, 1, 1, 0, 0, 0)]);
        var html = Report.ToHtml(recording, new() { Title = Nasty, Tables = [new(Nasty, Nasty, [Nasty], [[Nasty]])] });

        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("alert('x')", html, StringComparison.Ordinal);
        Assert.DoesNotContain("\"&\"", html, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfAnyRecording_LoadsNothing()
    {
        var html = Report.ToHtml(Everything());

        Assert.DoesNotMatch(new Regex("https?:|//[a-z]|\\ssrc=|\\shref=|@import|<link|<script|<iframe|url\\((?!#hatch)", RegexOptions.IgnoreCase), html);
        Assert.Contains("prefers-color-scheme: dark", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfAnyRecording_ClosesItsElements()
    {
        var html = Report.ToHtml(Everything());
        foreach (var element in new[] { "svg", "g", "table", "tr", "td", "th", "p", "div", "figure", "main", "span", "title", "text" })
        {
            Assert.Equal(Regex.Count(html, $"<{element}[ >]"), Regex.Count(html, $"</{element}>"));
        }
    }

    [Fact]
    public void Page_OfNothing_SaysSo() =>
        Assert.Contains("No flight was recorded.", Report.ToHtml(Recording([], [new("recording", s_start, 0, 0, 0, 0, 0, 0)])), StringComparison.Ordinal);

    [Fact]
    public void Sections_HaveTheirNumbersInATable()
    {
        var html = Report.ToHtml(Recording([], [new("cold", s_start, 4, 4, 996, 0, 0, 0), new("refresh", s_start, 4, 4, 0, 2, 1000, 4)]));

        Assert.Contains("<tr><td>cold</td><td>1000</td><td>4</td><td>996</td><td>996</td><td>0</td><td>0</td></tr>", html, StringComparison.Ordinal);
        Assert.Contains("<tr><td>refresh</td><td>1002</td><td>6</td><td>996</td><td>0</td><td>1000</td><td>2</td></tr>", html, StringComparison.Ordinal);
        Assert.Contains("<b>2,002</b> callers, <b>10</b> calls", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Outcomes_DifferInStyleAndSign()
    {
        var html = Report.ToHtml(Everything());
        string[] bars = ["bar success", "bar failure", "bar abandoned", "bar open", "bar other", "✓ caller 1", "✗ caller 1", "∅ caller 1", "… caller 1", "○ caller 1"];

        Assert.All(bars, bar => Assert.Contains(bar, html, StringComparison.Ordinal));
        Assert.Contains("<td>failure: System.TimeoutException</td>", html, StringComparison.Ordinal);
        Assert.Contains("<td>handed over</td>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Lane_OfFlightsThatOverlap_StacksThem()
    {
        var apart = Report.ToHtml(Recording([Flight("a", 0, 2), Flight("a", 2, 4)], []));
        var together = Report.ToHtml(Recording([Flight("a", 0, 2), Flight("a", 1, 4)], []));

        Assert.Single(Tops(apart).Distinct());
        Assert.Equal(2, Tops(together).Distinct().Count());
    }

    [Fact]
    public void Waits_AreThoseOfLeadersFollowersAndHits()
    {
        var flight = Flight("a", 0, 4) with { Followers = [Follower(1, 4), Follower(2, 4)] };
        var refresh = Flight("a", 5, 6) with { IsRefresh = true };
        var html = Report.ToHtml(Recording([flight, refresh], [new("s", s_start, 2, 1, 2, 0, 2, 0)]));

        // 0, 0, 2, 3, 4 against 4, 4, 4.
        Assert.Contains("<tr><td>with single flight</td><td>5</td><td>2.000 s</td><td>4.000 s</td><td>4.000 s</td><td>4.000 s</td></tr>", html, StringComparison.Ordinal);
        Assert.Contains("<tr><td>without, estimated</td><td>3</td><td>4.000 s</td><td>4.000 s</td><td>4.000 s</td><td>4.000 s</td></tr>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Waits_ThatWereMeasured_ReplaceTheEstimate()
    {
        var html = Report.ToHtml(Recording([Flight("a", 0, 4)], []), new() { WaitsWithout = [TimeSpan.FromSeconds(7)] });

        Assert.Contains("<tr><td>without, measured</td><td>1</td><td>7.000 s</td>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("estimate", html, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Dropped_IsSaid()
    {
        Assert.DoesNotContain("Not drawn", Report.ToHtml(Everything()), StringComparison.Ordinal);
        Assert.Contains(
            "2 flights, 1,234 followers, 3 sections", Report.ToHtml(Everything() with { Dropped = new(2, 1234, 3) }), StringComparison.Ordinal);
    }

    [Fact]
    public void Page_InAnotherCulture_IsTheSame()
    {
        var expected = Report.ToHtml(Everything());
        var culture = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
        try
        {
            Assert.Equal(expected, Report.ToHtml(Everything()));
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    private static IEnumerable<string> Tops(string html) =>
        Regex.Matches(html, "class=\"bar success\" x=\"[^\"]*%\" y=\"([^\"]*)\"").Select(static match => match.Groups[1].Value);

    private static Recording Everything() => Recording(
        [
            Flight("a", 0, 2.5) with { Followers = [Follower(0.25, 2.5), Follower(0.5, 1, "left"), Follower(0.5, 2, "elected")] },
            Flight("a", 1, 2, "failure") with { ErrorType = "System.TimeoutException", Followers = [Follower(1.5, 2, "failure")] },
            Flight("b", 1, 2, "abandoned"),
            Flight("b", 2, 3, "handed_over"),
            Flight("c", 3, 4) with { End = null, Outcome = null },
        ],
        [new("first", s_start, 4, 4, 4, 0, 12, 0), new("second", s_start.AddSeconds(3), 1, 0, 0, 1, 0, 0)]);

    private static Recording Recording(IReadOnlyList<RecordedFlight> flights, IReadOnlyList<RecordedSection> sections) =>
        new(s_start, s_start.AddSeconds(5), flights, sections, new(0, 0, 0));

    private static RecordedFlight Flight(string lane, double start, double end, string outcome = "success") =>
        new(lane, "caller 1", false, s_start.AddSeconds(start), s_start.AddSeconds(end), outcome, null, 1, []);

    private static RecordedFollower Follower(double joined, double left, string outcome = "success") =>
        new(s_start.AddSeconds(joined), s_start.AddSeconds(left), outcome, null);
}
