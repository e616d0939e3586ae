using System.Diagnostics;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>A contender that makes as many calls, one after the other, as it is told to.</summary>
internal sealed record CallLoop(string Name, Func<int, Task> RunAsync)
{
    private const int BytePasses = 9;
    private const int CallsPerBytePass = 1000;
    private const int Alignment = 8;

    /// <summary>Measures loops against each other; the baseline is one of them.</summary>
    public static async Task<IReadOnlyList<CallFigures>> MeasureAsync(
        IReadOnlyList<CallLoop> loops, CallLoop baseline, Completion completion, TimeSpan duration)
    {
        var calls = completion == Completion.Synchronous ? 2000 : 500;
        var samples = await Rounds.InterleaveAsync<double>(
            [.. loops.Select(loop => (Func<Task<double>>)(() => loop.TimeAsync(calls)))], duration).ConfigureAwait(false);
        var reference = samples[loops.TakeWhile(loop => loop != baseline).Count()];
        var floor = await baseline.CountBytesAsync(completion).ConfigureAwait(false);

        var figures = new List<CallFigures>();
        foreach (var (loop, times) in loops.Zip(samples))
        {
            var bytes = await loop.CountBytesAsync(completion).ConfigureAwait(false);
            figures.Add(new CallFigures(
                loop.Name,
                Rounds.Median(times),
                Rounds.MedianRatio(times, reference, static nanoseconds => nanoseconds),
                RoundToAlignment(bytes - floor)));
        }

        return figures;
    }

    /// <summary>
    /// A call allocates whole objects, which are multiples of the alignment. What is left over are the loop's own frame, and
    /// the frames that a pipeline now and then saves when the other thread completes the callback before the call returns.
    /// </summary>
    private static double RoundToAlignment(double bytes) => Math.Round(bytes / Alignment) * Alignment;

    private async Task<double> TimeAsync(int calls)
    {
        var start = Stopwatch.GetTimestamp();
        await RunAsync(calls).ConfigureAwait(false);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls;
    }

    private async Task<double> CountBytesAsync(Completion completion)
    {
        var passes = new double[BytePasses];
        for (var pass = 0; pass < passes.Length; pass++)
        {
            var before = AllocatedBytes(completion);
            await RunAsync(CallsPerBytePass).ConfigureAwait(false);
            passes[pass] = (AllocatedBytes(completion) - before) / (double)CallsPerBytePass;
        }

        return Rounds.Median(passes);
    }

    /// <summary>A loop of synchronous calls never changes its thread.</summary>
    private static long AllocatedBytes(Completion completion) =>
        completion == Completion.Synchronous ? GC.GetAllocatedBytesForCurrentThread() : GC.GetTotalAllocatedBytes(precise: true);
}
