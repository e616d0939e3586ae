using BenchmarkDotNet.Attributes;
using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Suites;

/// <summary>One GET at a time through a client, whose upstream answers from memory at once.</summary>
[MemoryDiagnoser]
public class HttpSuite : IDisposable
{
    private InMemoryUpstream _upstream = null!;
    private HttpClients _clients = null!;
    private HttpRequests _requests = null!;

    [Params(5, 25)]
    public int Headers { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _upstream = new InMemoryUpstream(bodyBytes: 1000);
        _clients = new HttpClients(_upstream);
        _requests = new HttpRequests(Headers);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _clients.Dispose();
        _upstream.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Baseline = true)]
    public Task BareClient() => SendAsync(_clients.Bare);

    [Benchmark]
    public Task EmptyPipeline() => SendAsync(_clients.EmptyPipeline);

    [Benchmark]
    public Task SingleFlight() => SendAsync(_clients.SingleFlight);

    private async Task SendAsync(HttpClient client)
    {
        using var request = _requests.Create();
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
    }
}
