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
        var floor = await baseline.CountBytesAsync().ConfigureAwait(false);

        var figures = new List<CallFigures>();
        foreach (var (loop, times) in loops.Zip(samples))
        {
            var bytes = await loop.CountBytesAsync().ConfigureAwait(false);
            figures.Add(new CallFigures(
                loop.Name,
                Rounds.Median(times),
                Rounds.MedianRatio(times, reference, static nanoseconds => nanoseconds),
                Rounds.MedianDifference(times, reference),
                RoundToAlignment(bytes - floor)));
        }

        return figures;
    }

    /// <summary>
    /// A call allocates whole objects, which are multiples of the alignment. What is left over are the loop's own frame, and
    /// the frames that a pipeline now and then saves when the other thread completes the callback before the call returns.
    /// Adding zero turns a negative zero into a positive one.
    /// </summary>
    private static double RoundToAlignment(double bytes) => (Math.Round(bytes / Alignment) * Alignment) + 0.0;

    private async Task<double> TimeAsync(int calls)
    {
        var start = Stopwatch.GetTimestamp();
        await RunAsync(calls).ConfigureAwait(false);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls;
    }

    /// <summary>Counts what all threads allocate, because a contestant may change the thread even where the callback does not.</summary>
    private async Task<double> CountBytesAsync()
    {
        var passes = new double[BytePasses];
        for (var pass = 0; pass < passes.Length; pass++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await RunAsync(CallsPerBytePass).ConfigureAwait(false);
            passes[pass] = (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)CallsPerBytePass;
        }

        return Rounds.Median(passes);
    }
}
