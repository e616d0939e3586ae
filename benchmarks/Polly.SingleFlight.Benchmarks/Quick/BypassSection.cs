using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>Calls without a key: what the strategy costs those who do not use it.</summary>
internal sealed class BypassSection(Lineup lineup) : Section("bypass", lineup)
{
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(1);

    public override async Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## Calls without a key");
        output.WriteLine();
        var table = new MarkdownTable("callback", "floor", "SingleFlight, no key", "ratio", "bytes over the floor");
        foreach (var completion in Enum.GetValues<Completion>())
        {
            foreach (var entry in Enum.GetValues<Entry>())
            {
                var (floor, bypass) = await MeasureAsync(completion, entry).ConfigureAwait(false);
                table.Add(
                    $"{completion}, {entry}",
                    Invariant($"{floor.Nanoseconds:0} ns"),
                    Invariant($"{bypass.Nanoseconds:0} ns"),
                    entry == Entry.ExecuteAsync ? Goal.BypassRatio.Judge(bypass.Ratio) : Invariant($"{bypass.Ratio:0.00}x"),
                    Goal.BypassBytes.Judge(bypass.BytesOverFloor));
            }
        }

        table.WriteTo(output);
    }

    private async Task<(CallFigures Floor, CallFigures Bypass)> MeasureAsync(Completion completion, Entry entry)
    {
        var calls = new UncontendedCalls(completion, TokenUse.None);
        var floor = new CallLoop(Lineup.Floor.Name, count => calls.RunAsync(Lineup.Floor, entry, count));
        var bypass = new CallLoop(Lineup.WithoutKey.Name, count => calls.RunAsync(Lineup.WithoutKey, entry, count));
        var figures = await CallLoop.MeasureAsync([floor, bypass], floor, completion, s_duration).ConfigureAwait(false);
        return (figures[0], figures[1]);
    }
}
