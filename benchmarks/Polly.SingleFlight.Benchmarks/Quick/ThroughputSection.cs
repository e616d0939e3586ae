using System.Diagnostics;
using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>Concurrent tasks on one key and on many.</summary>
internal sealed class ThroughputSection(Lineup lineup) : Section("throughput", lineup)
{
    private const int CallsPerSample = 4000;
    private const int TasksOfTheGoals = 8;

    private static readonly (int Tasks, int Keys)[] s_loads = [(2, 1), (TasksOfTheGoals, 1), (2, 10_000), (TasksOfTheGoals, 10_000)];
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(3);

    public override async Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## Throughput with a callback that yields once");
        output.WriteLine();
        output.WriteLine("Each cell: millions of calls per second, the ratio to Lazy as a strategy, and in parentheses how many callbacks 100 calls took.");
        output.WriteLine();
        var columns = new List<IReadOnlyList<Sample>[]>();
        foreach (var (tasks, keys) in s_loads)
        {
            columns.Add(await MeasureAsync(new Hammering(tasks, keys)).ConfigureAwait(false));
        }

        var table = new MarkdownTable(
            ["calls per second", .. s_loads.Select(static load => Invariant($"{load.Tasks} tasks, {load.Keys} {(load.Keys == 1 ? "key" : "keys")}"))]);
        for (var i = 0; i < Lineup.Throughput.Count; i++)
        {
            table.Add([Lineup.Throughput[i].Name, .. columns.Select(samples => Print(samples[i], RatioToYardstick(samples, i)))]);
        }

        table.Add(["goal", .. s_loads.Zip(columns, (load, samples) => Judge(load.Tasks, load.Keys, samples))]);
        table.WriteTo(output);
    }

    private static async Task<Sample> RunAsync(Hammering hammering, Contestant contestant)
    {
        var start = Stopwatch.GetTimestamp();
        var callbacks = await hammering.RunAsync(contestant, CallsPerSample).ConfigureAwait(false);
        return new Sample(CallsPerSample / Stopwatch.GetElapsedTime(start).TotalSeconds, callbacks);
    }

    private static string Print(IReadOnlyList<Sample> samples, double ratio)
    {
        var callsPerSecond = Rounds.Median(samples, static sample => sample.CallsPerSecond);
        var callbacks = Rounds.Median(samples, static sample => sample.Callbacks * 100.0 / CallsPerSample);
        return Invariant($"{callsPerSecond / 1e6:0.00} M/s, {ratio:0.00}x ({callbacks:0})");
    }

    private Task<IReadOnlyList<Sample>[]> MeasureAsync(Hammering hammering) => Rounds.InterleaveAsync<Sample>(
        [.. Lineup.Throughput.Select(contestant => (Func<Task<Sample>>)(() => RunAsync(hammering, contestant)))], s_duration);

    private double RatioToYardstick(IReadOnlyList<Sample>[] samples, int contestant)
    {
        var yardstick = Lineup.Throughput.TakeWhile(other => other != Lineup.LazyStrategy).Count();
        return Rounds.MedianRatio(samples[contestant], samples[yardstick], static sample => sample.CallsPerSecond);
    }

    private string Judge(int tasks, int keys, IReadOnlyList<Sample>[] samples)
    {
        var goal = keys == 1 ? Goal.ThroughputOnOneKey : Goal.ThroughputOnManyKeys;
        return tasks == TasksOfTheGoals ? goal.Judge(RatioToYardstick(samples, Lineup.Throughput.Count - 1)) : "";
    }

    private readonly record struct Sample(double CallsPerSecond, long Callbacks);
}
