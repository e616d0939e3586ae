using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>One caller at a time: what the strategy costs where it has nothing to coalesce.</summary>
internal sealed class UncontendedSection(Lineup lineup) : Section("uncontended", lineup)
{
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(1.3);

    public override async Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## Uncontended calls");
        output.WriteLine();
        output.WriteLine("A call: rent a context, set the key where there is one to set, execute, return the context.");
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

        table.Add("goal: time", Judge(none), Judge(fresh), Judge(reused));
        if (completion == Completion.Synchronous)
        {
            table.Add("goal: bytes", JudgeBytes(none), JudgeBytes(fresh), JudgeBytes(reused));
        }

        table.WriteTo(output);

        string Judge(IReadOnlyList<CallFigures> figures) =>
            (completion == Completion.Synchronous ? Goal.SynchronousRatio : Goal.AsynchronousRatio).Judge(SingleFlightOf(figures).Ratio);

        string JudgeBytes(IReadOnlyList<CallFigures> figures) => Goal.SynchronousBytes.Judge(SingleFlightOf(figures).BytesOverFloor);
    }

    private CallFigures SingleFlightOf(IReadOnlyList<CallFigures> figures) => figures.Single(row => row.Name == Lineup.SingleFlight.Name);

    private async Task<IReadOnlyList<CallFigures>> MeasureAsync(Completion completion, Entry entry, TokenUse tokens)
    {
        var calls = new UncontendedCalls(completion, entry, tokens);
        List<CallLoop> loops =
        [
            .. Lineup.Uncontended.Select(contestant => new CallLoop(contestant.Name, count => calls.RunAsync(contestant, count))),
        ];
        if (entry == Entry.ExecuteAsync)
        {
            loops.Add(new CallLoop("ExecuteSingleFlightAsync", count => calls.RunConvenienceAsync(Lineup.SingleFlight.Pipeline, count)));
        }

        var floor = loops.Single(loop => loop.Name == Lineup.Floor.Name);
        return await CallLoop.MeasureAsync(loops, floor, completion, s_duration).ConfigureAwait(false);
    }

    private static string Print(CallFigures row) => Invariant($"{row.Nanoseconds:0} ns, {row.Ratio:0.00}x, {row.BytesOverFloor:+0;-0;0} B");
}
