using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>Many callers on one flight: how fast they are let go.</summary>
internal sealed class FanInSection(Lineup lineup) : Section("fan-in", lineup)
{
    private const int CallersOfTheGoal = 1000;

    private static readonly int[] s_callers = [1, 10, 100, CallersOfTheGoal, 10_000];
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(1.5);

    public override async Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## Fan-in: the release of all callers of one flight");
        output.WriteLine();
        output.WriteLine("A caller is `ExecuteAsync(...).AsTask()`, in a pipeline with a rented context of its own.");
        output.WriteLine("Time from completing the callback's task, on a pool thread, until the task of the last caller is done: the flight's end,");
        output.WriteLine("the dispatch to the thread pool, a pipeline's frame and the caller's task are in it; joining is not.");
        output.WriteLine("Each cell: time, ratio to the Lazy idiom, and in parentheses the time until the leader's task is done.");
        output.WriteLine();
        foreach (var ownTokens in (bool[])[false, true])
        {
            await WriteTableAsync(output, ownTokens).ConfigureAwait(false);
        }
    }

    private async Task WriteTableAsync(TextWriter output, bool ownTokens)
    {
        var columns = new List<IReadOnlyList<FanIn.Release>[]>();
        foreach (var callers in s_callers)
        {
            var fanIns = Lineup.Coalescers.Select(contestant => new FanIn(contestant, callers, ownTokens));
            columns.Add(await Rounds.InterleaveAsync<FanIn.Release>(
                [.. fanIns.Select(static fanIn => (Func<Task<FanIn.Release>>)fanIn.TimeReleaseAsync)], s_duration).ConfigureAwait(false));
        }

        var table = new MarkdownTable(
            [ownTokens ? "callers with a token each" : "callers without a token", .. s_callers.Select(static callers => Invariant($"{callers}"))]);
        for (var i = 0; i < Lineup.Coalescers.Count; i++)
        {
            table.Add([Lineup.Coalescers[i].Name, .. columns.Select(samples => Print(samples[i], RatioToLazy(samples, i)))]);
        }

        var goal = ownTokens ? Goal.ReleaseRatioWithOwnTokens : Goal.ReleaseRatio;
        var singleFlight = Lineup.Coalescers.Count - 1;
        table.Add(
        [
            "goal",
            .. s_callers.Select((callers, column) => callers == CallersOfTheGoal ? goal.Judge(RatioToLazy(columns[column], singleFlight)) : ""),
        ]);
        table.WriteTo(output);
    }

    private static double RatioToLazy(IReadOnlyList<FanIn.Release>[] samples, int contestant) =>
        Rounds.MedianRatio(samples[contestant], samples[0], static release => release.Last.TotalMicroseconds);

    private static string Print(IReadOnlyList<FanIn.Release> samples, double ratio)
    {
        var last = Rounds.Median(samples, static release => release.Last.TotalMicroseconds);
        var leader = Rounds.Median(samples, static release => release.Leader.TotalMicroseconds);
        return Invariant($"{last:0.0} µs, {ratio:0.00}x ({leader:0.0} µs)");
    }
}
