using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Polly.SingleFlight.Benchmarks.Contestants;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>The whole field in one run of some two minutes, for ratios rather than absolute figures.</summary>
internal static class QuickRun
{
    public static async Task<int> RunAsync(string[] args, TextWriter output)
    {
        var lineup = new Lineup();
        Section[] sections =
        [
            new UncontendedSection(lineup),
            new BypassSection(lineup),
            new JoinSection(lineup),
            new FanInSection(lineup),
            new FollowerBytesSection(lineup),
            new ThroughputSection(lineup),
            new HttpUncontendedSection(lineup),
            new HttpFollowerSection(lineup),
            new HttpKeySection(lineup),
            new CacheHitSection(lineup),
        ];
        Section[] chosen = args switch
        {
            [] => sections,
            ["--only", var name] => [.. sections.Where(section => section.Name == name)],
            _ => [],
        };
        if (chosen.Length == 0)
        {
            output.WriteLine($"Usage: --quick [--only {string.Join('|', sections.Select(static section => section.Name))}]");
            return 1;
        }

        var start = Stopwatch.GetTimestamp();
        WriteConditions(output);
        foreach (var section in chosen)
        {
            await section.WriteAsync(output).ConfigureAwait(false);
        }

        output.WriteLine($"Took {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s.");
        return 0;
    }

    private static void WriteConditions(TextWriter output)
    {
        var polly = typeof(ResiliencePipeline).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?
            .InformationalVersion.Split('+')[0];
        output.WriteLine(
            $"{RuntimeInformation.FrameworkDescription}, Polly.Core {polly}, {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores.");
        output.WriteLine("All contestants of a table take turns in short rounds. Times are medians of the rounds, ratios are medians of the");
        output.WriteLine("ratios within a round, bytes are medians of passes of their own. Compare ratios, not times.");
        output.WriteLine();
    }
}
