using Spectre.Console;
using Spectre.Console.Rendering;

namespace HttpClientDemo;

/// <summary>Redraws the flights in the air on a terminal.</summary>
internal sealed class LiveView : View
{
    private LiveDisplayContext? _display;
    private int _rows;

    protected override TimeSpan Interval => TimeSpan.FromMilliseconds(100);

    public override void Begin(Wave wave, string callers)
    {
        _rows = 0;
        AnsiConsole.WriteLine();
        AnsiConsole.Write(new Rule($"[bold]{Markup.Escape(wave.Title)}[/]  {Markup.Escape(callers)}") { Justification = Justify.Left, Style = "grey" });
        AnsiConsole.MarkupLineInterpolated($"[italic]{wave.Headline}[/]");
    }

    public override void Say(string text) => AnsiConsole.WriteLine(text);

    public override void End(Result result) => AnsiConsole.MarkupLineInterpolated($"[bold green]{result}[/]");

    public override Task WatchAsync(Task wave, Func<Sight> look) => AnsiConsole.Live(Text.Empty).StartAsync(async display =>
    {
        _display = display;
        Show(look());
        await base.WatchAsync(wave, look);
        Show(look());
    });

    protected override void Show(Sight sight)
    {
        var crowd = sight.Crowd;
        var rows = new Grid().AddColumn(new() { Width = 20, NoWrap = true }).AddColumn(new() { NoWrap = true })
            .AddColumn(new() { Width = 12, NoWrap = true, Alignment = Justify.Right }).AddColumn(new() { Width = 7, NoWrap = true, Alignment = Justify.Right });
        AddRow(rows, "callers arrived", crowd.Arrived, crowd.Size, "blue", $"{crowd.Arrived}", $"{sight.Elapsed.TotalSeconds:0.0} s");
        AddRow(rows, "upstream calls", sight.Calls, crowd.Size, "red", $"{sight.Calls}");
        AddRow(rows, "callers done", crowd.Done, crowd.Size, "green", $"{crowd.Done}");
        rows.AddEmptyRow();
        rows.AddRow(new Markup("[grey]in the air[/]"), new Markup(sight.Flights.Count > 0 ? "" : "[grey]no flight[/]"));
        foreach (var flight in sight.Flights.OrderByDescending(static flight => (int)flight.Age.TotalSeconds).ThenBy(static flight => flight.Key.ToString(), StringComparer.Ordinal))
        {
            AddRow(rows, $"  {flight.Key}", flight.CallerCount, crowd.Size, "yellow", $"{flight.CallerCount} callers", $"{flight.Age.TotalSeconds:0.0} s");
        }

        // A view that does not shrink leaves what is below it in its place.
        for (_rows = Math.Max(_rows, rows.Rows.Count); rows.Rows.Count < _rows;)
        {
            rows.AddEmptyRow();
        }

        _display!.UpdateTarget(rows);
    }

    private static void AddRow(Grid rows, string name, int value, int max, string color, string count, string age = "")
    {
        var width = Math.Clamp(AnsiConsole.Profile.Width - 48, 8, 50);
        var length = value == 0 ? 0 : Math.Max(1, value * width / max);
        IRenderable[] cells = [new Text(name), new Text(new string('█', length), color), new Text(count), new Text(age)];
        rows.AddRow(cells);
    }
}
