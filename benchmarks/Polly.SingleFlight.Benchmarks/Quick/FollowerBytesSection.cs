using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>What a follower allocates, and what the same caller allocates when it is alone.</summary>
internal sealed class FollowerBytesSection(Lineup lineup) : Section("follower-bytes", lineup)
{
    private const int Callers = 1001;
    private const int WarmUps = 30;
    private const int Passes = 15;

    public override Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## Bytes of a caller on a shared flight");
        output.WriteLine();
        output.WriteLine($"A follower is one of {Callers - 1} beside a leader. \"Call\" is everything allocated, on any thread, from calling");
        output.WriteLine("`ExecuteAsync(...).AsTask()` until that task is done: the wait, the token's registration, the pipeline's frame and the");
        output.WriteLine("task. \"Brought\" is what the caller made before: a context (the pool keeps few) with its key where there is a pipeline, and a token source.");
        output.WriteLine();
        var table = new MarkdownTable("contestant", "token", "follower: call", "follower: brought", "alone: call");
        foreach (var ownTokens in (bool[])[false, true])
        {
            foreach (var contestant in Lineup.Coalescers)
            {
                AddRow(table, contestant, ownTokens);
            }
        }

        table.WriteTo(output);
        return Task.CompletedTask;
    }

    private void AddRow(MarkdownTable table, Contestant contestant, bool ownTokens)
    {
        var alone = Measure(contestant, 1, ownTokens);
        var all = Measure(contestant, Callers, ownTokens);
        var call = (all.Calls - alone.Calls) / (double)(Callers - 1);
        table.Add(
            contestant.Name,
            ownTokens ? "own" : "none",
            contestant == Lineup.SingleFlight ? Goal.FollowerBytes.Judge(call) : Invariant($"{call:0} B"),
            Invariant($"{all.Brought / (double)Callers:0} B"),
            Invariant($"{alone.Calls} B"));
    }

    private static FanIn.Allocation Measure(Contestant contestant, int callers, bool ownTokens)
    {
        var fanIn = new FanIn(contestant, callers, ownTokens);
        var passes = Enumerable.Range(0, WarmUps + Passes).Select(_ => fanIn.MeasureBytes()).Skip(WarmUps).ToArray();
        return new FanIn.Allocation(
            (long)Rounds.Median(passes, static pass => pass.Brought), (long)Rounds.Median(passes, static pass => pass.Calls));
    }
}
