using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>One GET at a time through a client: what single flight costs where it has nothing to coalesce.</summary>
internal sealed class HttpUncontendedSection(Lineup lineup) : Section("http", lineup)
{
    private const int GoalHeaders = 5;

    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(2);

    public override async Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## Uncontended GET through an HttpClient");
        output.WriteLine();
        output.WriteLine("A call: make a request, send it to a handler that answers from memory at once, dispose the response, whose body is read by");
        output.WriteLine("nobody (`ResponseHeadersRead`). Each cell: time, time over the bare client, bytes over it. Times are noisy; bytes are not.");
        output.WriteLine();
        var table = new MarkdownTable("headers", "bare client", "with an empty pipeline", "with single flight", "goal: time", "goal: bytes");
        using var upstream = new InMemoryUpstream(bodyBytes: 1000);
        using var clients = new HttpClients(upstream);
        foreach (var headers in (int[])[GoalHeaders, 25])
        {
            await AddRowAsync(table, headers, clients).ConfigureAwait(false);
        }

        table.WriteTo(output);
    }

    private static async Task AddRowAsync(MarkdownTable table, int headers, HttpClients clients)
    {
        var requests = new HttpRequests(headers);
        CallLoop bare = new("bare", count => SendAsync(clients.Bare, requests, count));
        CallLoop empty = new("empty", count => SendAsync(clients.EmptyPipeline, requests, count));
        CallLoop singleFlight = new("single flight", count => SendAsync(clients.SingleFlight, requests, count));
        var figures = await CallLoop.MeasureAsync([bare, empty, singleFlight], bare, Completion.Synchronous, s_duration).ConfigureAwait(false);
        table.Add(
            Invariant($"{headers}"),
            Invariant($"{figures[0].Nanoseconds:0} ns"),
            Print(figures[1]),
            Print(figures[2]),
            headers == GoalHeaders ? Goal.HttpNanoseconds.Judge(figures[2].NanosecondsOverFloor) : "",
            headers == GoalHeaders ? Goal.HttpBytes.Judge(figures[2].BytesOverFloor) : "");
    }

    private static string Print(CallFigures row) =>
        Invariant($"{row.Nanoseconds:0} ns, {row.NanosecondsOverFloor:+0;-0;0} ns, {row.BytesOverFloor:+0;-0;0} B");

    private static async Task SendAsync(HttpClient client, HttpRequests requests, int count)
    {
        for (var i = 0; i < count; i++)
        {
            using var request = requests.Create();
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
        }
    }
}
