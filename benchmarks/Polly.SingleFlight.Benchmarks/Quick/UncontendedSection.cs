using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>One caller at a time: what the strategy costs where it has nothing to coalesce.</summary>
internal sealed class UncontendedSection(Lineup lineup) : Section("uncontended", lineup)
{
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(2);

    public override async Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## Uncontended calls");
        output.WriteLine();
        output.WriteLine("A call of a pipeline: rent a context, set the key where there is one to set, execute, return the context. Those without a pipeline");
        output.WriteLine("are called as their users call them, with no context. An asynchronous callback awaits `Task.Yield()`.");
        output.WriteLine("Each cell: time, ratio to the floor, bytes over the floor.");
        output.WriteLine();
        foreach (var completion in Enum.GetValues<Completion>())
        {
            foreach (var entry in Enum.GetValues<Entry>())
            {
                await WriteTableAsync(output, completion, entry).ConfigureAwait(false);
            }
        }
    }

    private async Task WriteTableAsync(TextWriter output, Completion completion, Entry entry)
    {
        var none = await MeasureAsync(completion, entry, TokenUse.None).ConfigureAwait(false);
        var fresh = await MeasureAsync(completion, entry, TokenUse.Fresh).ConfigureAwait(false);
        var reused = await MeasureAsync(completion, entry, TokenUse.Reused).ConfigureAwait(false);

        var table = new MarkdownTable($"{completion} callback, {entry}", "no token", "a fresh token each", "one cancellable token");
        for (var i = 0; i < none.Count; i++)
        {
            table.Add(none[i].Name, Print(none[i]), Print(fresh[i]), Print(reused[i]));
        }

        if (entry == Entry.ExecuteAsync)
        {
            AddGoals(table, completion, SingleFlightOf(none), SingleFlightOf(reused));
        }

        table.WriteTo(output);
    }

    private static void AddGoals(MarkdownTable table, Completion completion, CallFigures none, CallFigures reused)
    {
        if (completion == Completion.Synchronous)
        {
            table.Add("goal: time", Goal.SynchronousRatio.Judge(none.Ratio), "", Goal.SynchronousRatioWithReusedToken.Judge(reused.Ratio));
            table.Add("goal: bytes", Goal.SynchronousBytes.Judge(none.BytesOverFloor), "", "");
        }
        else
        {
            table.Add("goal: time", Goal.AsynchronousRatio.Judge(none.Ratio), "", "");
            table.Add("goal: bytes", Goal.AsynchronousBytes.Judge(none.BytesOverFloor), "", "");
        }
    }

    private CallFigures SingleFlightOf(IReadOnlyList<CallFigures> figures) => figures.Single(row => row.Name == Lineup.SingleFlight.Name);

    private async Task<IReadOnlyList<CallFigures>> MeasureAsync(Completion completion, Entry entry, TokenUse tokens)
    {
        var calls = new UncontendedCalls(completion, tokens);
        CallLoop[] loops = entry == Entry.ExecuteAsync
            ?
            [
                .. Lineup.Uncontended.Select(contestant => new CallLoop(contestant.Name, count => calls.RunAsync(contestant, count))),
                new("ExecuteSingleFlightAsync", count => calls.RunConvenienceAsync(Lineup.SingleFlight.Pipeline, count)),
            ]
            : [.. Lineup.Pipelines.Select(contestant => new CallLoop(contestant.Name, count => calls.RunOutcomesAsync(contestant, count)))];
        var floor = loops.Single(loop => loop.Name == Lineup.Floor.Name);
        return await CallLoop.MeasureAsync(loops, floor, completion, s_duration).ConfigureAwait(false);
    }

    private static string Print(CallFigures row) => Invariant($"{row.Nanoseconds:0} ns, {row.Ratio:0.00}x, {row.BytesOverFloor:+0;-0;0} B");
}
