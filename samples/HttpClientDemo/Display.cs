using System.Diagnostics;
using Spectre.Console;

namespace HttpClientDemo;

/// <summary>Shows a wave on its way: a live table in a terminal, a line a second anywhere else.</summary>
internal static class Display
{
    private static readonly TimeSpan s_refresh = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    /// <summary>Returns when the wave has ended, whichever way; it does not throw for it.</summary>
    /// <param name="report">What is shown.</param>
    /// <param name="wave">The wave.</param>
    /// <param name="keepTable">Whether the table stays when the wave has ended.</param>
    public static Task ShowAsync(Report report, Task wave, bool keepTable)
    {
        // Both said explicitly, because on build servers the library would send escape codes into files as well.
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        return console.Profile.Capabilities.Ansi
            ? ShowLiveAsync(console, report, wave, keepTable)
            : ShowLinesAsync(console, report, wave, keepTable);
    }

    private static async Task ShowLiveAsync(IAnsiConsole console, Report report, Task wave, bool keepTable)
    {
        await console.Live(report.CreateTable()).AutoClear(!keepTable).StartAsync(async live =>
        {
            while (!wave.IsCompleted)
            {
                await Task.WhenAny(wave, Task.Delay(s_refresh));
                await report.UpdateAsync();
                live.UpdateTarget(report.CreateTable());
            }
        });

        // The live table shows the cursor again on the line below it; what follows starts on a clean one.
        if (keepTable)
        {
            console.WriteLine();
        }
    }

    private static async Task ShowLinesAsync(IAnsiConsole console, Report report, Task wave, bool keepTable)
    {
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAny(wave, Task.Delay(s_interval));
        while (!wave.IsCompleted)
        {
            await report.UpdateAsync();
            Console.WriteLine(report.Progress(Stopwatch.GetElapsedTime(start)));
            await Task.WhenAny(wave, Task.Delay(s_interval));
        }

        if (keepTable && wave.IsCompletedSuccessfully)
        {
            await report.UpdateAsync();
            console.Write(report.CreateTable());
        }
    }
}
