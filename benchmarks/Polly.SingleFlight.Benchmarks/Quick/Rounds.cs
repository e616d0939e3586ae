using System.Diagnostics;
using System.Runtime;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>
/// Measures contenders in turns, one sample each per round, so that whatever else the machine does hits all of them
/// alike; then medians of the rounds, and for ratios and differences medians of those within each round.
/// </summary>
internal static class Rounds
{
    private const int FewestRounds = 5;

    /// <summary>After 30 calls a method is compiled again, and once more with what was learned from its calls.</summary>
    private const int FewestWarmUps = 100;

    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan s_longestWarmUp = TimeSpan.FromSeconds(6);

    /// <returns>For each contender its samples, round by round.</returns>
    public static async Task<IReadOnlyList<TSample>[]> InterleaveAsync<TSample>(
        IReadOnlyList<Func<Task<TSample>>> contenders, TimeSpan duration)
    {
        await WarmUpAsync(contenders).ConfigureAwait(false);
        List<TSample>[] samples = [.. contenders.Select(static _ => new List<TSample>())];
        var begin = Stopwatch.GetTimestamp();
        for (var round = 0; round < FewestRounds || Stopwatch.GetElapsedTime(begin) < duration; round++)
        {
            for (var turn = 0; turn < contenders.Count; turn++)
            {
                var contender = (round + turn) % contenders.Count;
                samples[contender].Add(await contenders[contender]().ConfigureAwait(false));
            }
        }

        return samples;
    }

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    public static double Median<TSample>(IEnumerable<TSample> samples, Func<TSample, double> figure) => Median(samples.Select(figure));

    public static double MedianRatio<TSample>(IEnumerable<TSample> samples, IEnumerable<TSample> baseline, Func<TSample, double> figure) =>
        Median(samples.Zip(baseline, (sample, other) => figure(sample) / figure(other)));

    public static double MedianDifference(IEnumerable<double> samples, IEnumerable<double> baseline) =>
        Median(samples.Zip(baseline, static (sample, other) => sample - other));

    /// <summary>Runs everything until the JIT compiler has found nothing to compile or to optimize for a while.</summary>
    private static async Task WarmUpAsync<TSample>(IReadOnlyList<Func<Task<TSample>>> contenders)
    {
        var compiled = 0L;
        var start = Stopwatch.GetTimestamp();
        var quietSince = start;
        for (var pass = 0;
            (pass < FewestWarmUps || Stopwatch.GetElapsedTime(quietSince) < s_quiet) && Stopwatch.GetElapsedTime(start) < s_longestWarmUp;
            pass++)
        {
            foreach (var contender in contenders)
            {
                await contender().ConfigureAwait(false);
            }

            if (JitInfo.GetCompiledMethodCount() is var count && count != compiled)
            {
                compiled = count;
                quietSince = Stopwatch.GetTimestamp();
            }
        }
    }
}
