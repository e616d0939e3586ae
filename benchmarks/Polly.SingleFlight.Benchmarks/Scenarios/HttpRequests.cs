namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>Requests with as many headers as told, of the kinds and lengths that services send.</summary>
internal sealed class HttpRequests(int headers)
{
    private static readonly Uri s_uri = new("https://prices.example/v1/products/4711/price?currency=EUR&market=de");

    private readonly (string Name, string Value)[] _headers =
    [
        .. new (string, string)[]
        {
            ("Accept", "application/json"),
            ("User-Agent", "shop/4.2 (linux; net10.0)"),
            ("Authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"),
            ("Accept-Language", "de-DE, de;q=0.9, en;q=0.5"),
            ("X-Tenant", "contoso"),
        }.Concat(Enumerable.Range(0, 100).Select(static i => ($"X-Custom-{i}", $"the value of custom header {i}"))).Take(headers),
    ];

    public HttpRequestMessage Create()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, s_uri);
        foreach (var (name, value) in _headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }
}
