using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>What it costs to take a request down and to make its key.</summary>
internal sealed class HttpKeySection(Lineup lineup) : Section("http-key", lineup)
{
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(1);

    private readonly HttpRequestReader _reader = new(new HttpSingleFlightStrategyOptions());
    private readonly HttpRequestKeys _keys = new(new HttpSingleFlightStrategyOptions());

    public override async Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## The key of an HTTP request");
        output.WriteLine();
        output.WriteLine("\"Take down\" decides whether a request takes part and copies what the flight needs of it; \"and key\" hashes that.");
        output.WriteLine("One request, over and over, so that only these two steps are in the figures. A cell: time, bytes.");
        output.WriteLine();
        var table = new MarkdownTable("headers", "read", "and key");
        foreach (var headers in (int[])[5, 25])
        {
            using var request = new HttpRequests(headers).Create();
            CallLoop nothing = new("nothing", static _ => Task.CompletedTask);
            CallLoop takeDown = new("read", count => ReadAsync(request, count));
            CallLoop andKey = new("and key", count => MakeKeyAsync(request, count));
            var figures = await CallLoop.MeasureAsync([nothing, takeDown, andKey], nothing, Completion.Synchronous, s_duration).ConfigureAwait(false);
            table.Add(Invariant($"{headers}"), Print(figures[1]), Print(figures[2]));
        }

        table.WriteTo(output);
    }

    private static string Print(CallFigures row) => Invariant($"{row.Nanoseconds:0} ns, {row.BytesOverFloor:0} B");

    private async Task ReadAsync(HttpRequestMessage request, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await _reader.ReadAsync(request, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task MakeKeyAsync(HttpRequestMessage request, int count)
    {
        for (var i = 0; i < count; i++)
        {
            _keys.Create((await _reader.ReadAsync(request, CancellationToken.None).ConfigureAwait(false)).Call!);
        }
    }
}
