using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>Many callers on one flight: how fast they are let go.</summary>
internal sealed class FanInSection(Lineup lineup) : Section("fan-in", lineup)
{
    private const int CallersOfTheGoal = 1000;

    private static readonly int[] s_callers = [1, 10, 100, 1000, 10_000];
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(0.8);

    public override async Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## Fan-in: the release of all callers of one flight");
        output.WriteLine();
        output.WriteLine("A caller is `pipeline.ExecuteAsync(callback, context, state).AsTask()` with a rented context of its own.");
        output.WriteLine("Time from completing the callback's task, on a pool thread, until the caller's task is done: the flight's end,");
        output.WriteLine("the dispatch to the thread pool, the pipeline's frame and the caller's task are in it; joining is not.");
        output.WriteLine();
        var table = new MarkdownTable(
            "callers", "token", "last: Lazy idiom", "last: SingleFlight", "ratio", "leader: Lazy idiom", "leader: SingleFlight");
        foreach (var ownTokens in (bool[])[false, true])
        {
            foreach (var callers in s_callers)
            {
                await AddRowAsync(table, callers, ownTokens).ConfigureAwait(false);
            }
        }

        table.WriteTo(output);
    }

    private async Task AddRowAsync(MarkdownTable table, int callers, bool ownTokens)
    {
        var lazy = new FanIn(Lineup.Lazy, callers, ownTokens);
        var singleFlight = new FanIn(Lineup.SingleFlight, callers, ownTokens);
        var samples = await Rounds.InterleaveAsync<FanIn.Release>(
            [lazy.TimeReleaseAsync, singleFlight.TimeReleaseAsync], s_duration).ConfigureAwait(false);
        var ratio = Rounds.MedianRatio(samples[1], samples[0], static release => release.Last.TotalMicroseconds);
        table.Add(
            Invariant($"{callers}"),
            ownTokens ? "own" : "none",
            Microseconds(samples[0], static release => release.Last),
            Microseconds(samples[1], static release => release.Last),
            callers == CallersOfTheGoal ? Goal.ReleaseRatio.Judge(ratio) : Invariant($"{ratio:0.00}x"),
            Microseconds(samples[0], static release => release.Leader),
            Microseconds(samples[1], static release => release.Leader));
    }

    private static string Microseconds(IEnumerable<FanIn.Release> samples, Func<FanIn.Release, TimeSpan> part) =>
        Invariant($"{Rounds.Median(samples, release => part(release).TotalMicroseconds):0.0} µs");
}
