using System.Diagnostics;
using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>Concurrent tasks on one key and on many.</summary>
internal sealed class ThroughputSection(Lineup lineup) : Section("throughput", lineup)
{
    private const int CallsPerSample = 4000;
    private const int TasksOfTheGoal = 8;

    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(1.6);

    public override async Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## Throughput with a callback that yields once");
        output.WriteLine();
        output.WriteLine("Millions of calls per second, and in parentheses how many callbacks 100 calls took.");
        output.WriteLine();
        var table = new MarkdownTable("tasks and keys", "floor, nothing shared", "Lazy idiom", "as a strategy", "SingleFlight", "to Lazy idiom", "to Lazy as a strategy");
        foreach (var keys in (int[])[1, 10_000])
        {
            foreach (var tasks in (int[])[2, TasksOfTheGoal])
            {
                await AddRowAsync(table, tasks, keys).ConfigureAwait(false);
            }
        }

        table.WriteTo(output);
    }

    private async Task AddRowAsync(MarkdownTable table, int tasks, int keys)
    {
        var hammering = new Hammering(tasks, keys);
        Contestant[] contestants = [Lineup.Floor, Lineup.Lazy, Lineup.LazyStrategy, Lineup.SingleFlight];
        var samples = await Rounds.InterleaveAsync<Sample>(
            [.. contestants.Select(contestant => (Func<Task<Sample>>)(() => RunAsync(hammering, contestant)))], s_duration)
            .ConfigureAwait(false);
        var ratio = Rounds.MedianRatio(samples[3], samples[1], static sample => sample.CallsPerSecond);
        var ratioInPipeline = Rounds.MedianRatio(samples[3], samples[2], static sample => sample.CallsPerSecond);
        table.Add(
            Invariant($"{tasks} tasks, {keys} {(keys == 1 ? "key" : "keys")}"),
            Print(samples[0]),
            Print(samples[1]),
            Print(samples[2]),
            Print(samples[3]),
            tasks == TasksOfTheGoal && keys == 1 ? Goal.ThroughputRatio.Judge(ratio) : Invariant($"{ratio:0.00}x"),
            Invariant($"{ratioInPipeline:0.00}x"));
    }

    private static async Task<Sample> RunAsync(Hammering hammering, Contestant contestant)
    {
        var start = Stopwatch.GetTimestamp();
        var callbacks = await hammering.RunAsync(contestant, CallsPerSample).ConfigureAwait(false);
        return new Sample(CallsPerSample / Stopwatch.GetElapsedTime(start).TotalSeconds, callbacks);
    }

    private static string Print(IReadOnlyList<Sample> samples)
    {
        var callsPerSecond = Rounds.Median(samples, static sample => sample.CallsPerSecond);
        var callbacks = Rounds.Median(samples, static sample => sample.Callbacks * 100.0 / CallsPerSample);
        return Invariant($"{callsPerSecond / 1e6:0.00} M/s ({callbacks:0})");
    }

    private readonly record struct Sample(double CallsPerSecond, long Callbacks);
}
