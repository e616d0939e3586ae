using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>Many callers on one flight: how long each of them takes to join.</summary>
internal sealed class JoinSection(Lineup lineup) : Section("join", lineup)
{
    private const int Callers = 1001;

    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(2);

    public override async Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## Joining a flight");
        output.WriteLine();
        output.WriteLine($"{Callers - 1} followers call `ExecuteAsync(...).AsTask()`, one after the other, while the leader's callback runs; in a pipeline each has a");
        output.WriteLine("context that was rented before. Each cell: time until a call has returned its task, and its ratio to Lazy as a strategy.");
        output.WriteLine();
        var none = await MeasureAsync(ownTokens: false).ConfigureAwait(false);
        var own = await MeasureAsync(ownTokens: true).ConfigureAwait(false);
        var table = new MarkdownTable("a follower", "no token", "a token of its own");
        for (var i = 0; i < Lineup.Coalescers.Count; i++)
        {
            table.Add(Lineup.Coalescers[i].Name, Print(none, i), Print(own, i));
        }

        table.Add("goal", Goal.JoinNanoseconds.Judge(Rounds.Median(none[^1])), "");
        table.WriteTo(output);
    }

    private async Task<IReadOnlyList<double>[]> MeasureAsync(bool ownTokens)
    {
        var fanIns = Lineup.Coalescers.Select(contestant => new FanIn(contestant, Callers, ownTokens));
        return await Rounds.InterleaveAsync<double>(
            [.. fanIns.Select(static fanIn => (Func<Task<double>>)fanIn.TimeJoinAsync)], s_duration).ConfigureAwait(false);
    }

    private string Print(IReadOnlyList<double>[] samples, int contestant)
    {
        var yardstick = Lineup.Coalescers.TakeWhile(other => other != Lineup.LazyStrategy).Count();
        var ratio = Rounds.MedianRatio(samples[contestant], samples[yardstick], static nanoseconds => nanoseconds);
        return Invariant($"{Rounds.Median(samples[contestant]):0} ns, {ratio:0.00}x");
    }
}
