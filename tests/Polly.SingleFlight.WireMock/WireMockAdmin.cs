using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Polly.SingleFlight.WireMock;

/// <summary>The server's administration, which is JSON over HTTP below <c>/__admin</c>.</summary>
internal sealed class WireMockAdmin(Uri server) : IDisposable
{
    // A proxy from the environment could not reach this machine's loopback.
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(server, "/__admin/") };

    public async Task CheckHealthAsync(CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync("health", cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    public async Task<int> CountAsync(RequestPattern pattern, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["method"] = "POST",
            ["urlPath"] = pattern.Path,
            ["formParameters"] = EqualTo(pattern.Form),
            ["headers"] = EqualTo(pattern.Headers),
        };
        using var response = await _http.PostAsJsonAsync("requests/count", body, cancellationToken);
        response.EnsureSuccessStatusCode();
        return (await ReadAsync(response, cancellationToken))["count"]!.GetValue<int>();
    }

    public async Task ResetAsync(CancellationToken cancellationToken)
    {
        using var journal = await _http.DeleteAsync("requests", cancellationToken);
        journal.EnsureSuccessStatusCode();
        using var scenarios = await _http.PostAsync("scenarios/reset", content: null, cancellationToken);
        scenarios.EnsureSuccessStatusCode();
    }

    public async Task ScaleDelaysAsync(double factor, CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync("mappings", cancellationToken);
        response.EnsureSuccessStatusCode();
        foreach (var mapping in (await ReadAsync(response, cancellationToken))["mappings"]!.AsArray())
        {
            if (mapping!["response"]!["fixedDelayMilliseconds"] is { } delay)
            {
                mapping["response"]!["fixedDelayMilliseconds"] = (int)Math.Round(delay.GetValue<int>() * factor);
                using var edited = await _http.PutAsJsonAsync($"mappings/{mapping["id"]}", mapping, cancellationToken);
                edited.EnsureSuccessStatusCode();
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        (await response.Content.ReadFromJsonAsync<JsonNode>(cancellationToken))!;

    private static JsonObject EqualTo(IReadOnlyDictionary<string, string> values) =>
        [.. values.Select(static value => KeyValuePair.Create<string, JsonNode?>(value.Key, new JsonObject { ["equalTo"] = value.Value }))];
}
