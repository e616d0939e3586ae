using Polly.SingleFlight.Benchmarks.Contestants;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>Many callers of one response: what each of them allocates.</summary>
internal sealed class HttpFollowerSection(Lineup lineup) : Section("http-followers", lineup)
{
    private const int Callers = 1000;
    private const int BodyBytes = 10_000;
    private const int WarmUps = 10;
    private const int Passes = 9;

    public override async Task WriteAsync(TextWriter output)
    {
        output.WriteLine("## Bytes of an HTTP follower");
        output.WriteLine();
        output.WriteLine($"{Callers} callers ask for the same {BodyBytes} bytes at the same time, 5 headers each; nobody reads the body. Everything that is allocated");
        output.WriteLine("on any thread from sending to the response, divided by the callers. What single flight adds is beyond an empty pipeline, whose");
        output.WriteLine("callers have a response object each, too.");
        output.WriteLine("`ResponseContentRead` is HttpClient's default, in which it copies the body for every caller.");
        output.WriteLine();
        var table = new MarkdownTable("completion option", "bare client", "with an empty pipeline", "with single flight", "beyond the empty pipeline", "goal");
        foreach (var option in (HttpCompletionOption[])[HttpCompletionOption.ResponseHeadersRead, HttpCompletionOption.ResponseContentRead])
        {
            var bare = await MeasureAsync(option, static clients => clients.Bare, expectedCalls: Callers).ConfigureAwait(false);
            var empty = await MeasureAsync(option, static clients => clients.EmptyPipeline, expectedCalls: Callers).ConfigureAwait(false);
            var shared = await MeasureAsync(option, static clients => clients.SingleFlight, expectedCalls: 1).ConfigureAwait(false);
            table.Add(
                option.ToString(),
                Invariant($"{bare:0} B"),
                Invariant($"{empty:0} B"),
                Invariant($"{shared:0} B"),
                Invariant($"{shared - empty:+0;-0;0} B"),
                option == HttpCompletionOption.ResponseHeadersRead ? Goal.HttpFollowerBytes.Judge(shared - empty) : "");
        }

        table.WriteTo(output);
    }

    private static async Task<double> MeasureAsync(HttpCompletionOption option, Func<HttpClients, HttpClient> choose, int expectedCalls)
    {
        var requests = new HttpRequests(headers: 5);
        using var upstream = new InMemoryUpstream(BodyBytes);
        using var clients = new HttpClients(upstream);
        var client = choose(clients);
        var passes = new List<double>();
        for (var pass = 0; pass < WarmUps + Passes; pass++)
        {
            passes.Add(await PassAsync(upstream, client, requests, option, expectedCalls).ConfigureAwait(false));
        }

        return Rounds.Median(passes.Skip(WarmUps));
    }

    private static async Task<double> PassAsync(
        InMemoryUpstream upstream, HttpClient client, HttpRequests requests, HttpCompletionOption option, int expectedCalls)
    {
        var callsBefore = upstream.Calls;
        var all = Enumerable.Range(0, Callers).Select(_ => requests.Create()).ToArray();
        var pending = new Task<HttpResponseMessage>[Callers];
        upstream.Close();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < Callers; i++)
        {
            pending[i] = client.SendAsync(all[i], option);
        }

        upstream.Open();
        var responses = await Task.WhenAll(pending).ConfigureAwait(false);
        var bytes = GC.GetTotalAllocatedBytes(precise: true) - before;
        foreach (var response in responses)
        {
            response.Dispose();
        }

        var calls = upstream.Calls - callsBefore;
        return calls == expectedCalls
            ? bytes / (double)Callers
            : throw new InvalidOperationException($"{calls} upstream calls instead of {expectedCalls}.");
    }
}
