using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Serialization;
using Polly;
using Polly.Registry;
using Polly.SingleFlight.Caching;

namespace Tokens;

internal sealed record Token(
    [property: JsonPropertyName("access_token")] string Value,
    [property: JsonPropertyName("expires_in")] int ExpiresIn)
{
    // Polly logs the text of results, and that of a record has all its properties.
    public override string ToString() => "Token";
}

/// <summary>Requests tokens. It knows neither the cache nor other callers.</summary>
internal sealed class TokenClient(HttpClient http)
{
    public async Task<Token> RequestAsync(CancellationToken cancellationToken)
    {
        using var form = new FormUrlEncodedContent([new("grant_type", "client_credentials")]);
        using HttpResponseMessage response = await http.PostAsync("connect/token", form, cancellationToken);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<Token>(cancellationToken))!;
    }
}

/// <summary>Calls the API with a token. After a 401 it evicts the token that it has used, and tries once more.</summary>
internal sealed class OrderClient(HttpClient http, TokenClient tokens, ResiliencePipelineProvider<string> pipelines, CacheManualControl control)
{
    private const string Key = "orders-api";            // of the token: what it depends on, such as tenant and scope
    private int _evictions;

    public async Task<string> GetAsync(string path, CancellationToken cancellationToken)
    {
        ResilienceContext context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.SetSingleFlightKey(Key);
        try
        {
            HttpResponseMessage response = await SendAsync(path, context);
            if (response.StatusCode == HttpStatusCode.Unauthorized && context.GetCacheResult() is { } seen)
            {
                response.Dispose();
                bool evicted = await control.EvictAsync(Key, seen, cancellationToken);  // not if a newer token is there
                Interlocked.Add(ref _evictions, evicted ? 1 : 0);
                response = await SendAsync(path, context);
            }

            using (response)
            {
                return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(cancellationToken);
            }
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    public int TakeEvictions() => Interlocked.Exchange(ref _evictions, 0);

    private async Task<HttpResponseMessage> SendAsync(string path, ResilienceContext context)
    {
        Token token = await pipelines.GetPipeline<Token>("tokens")
            .ExecuteAsync(async flight => await tokens.RequestAsync(flight.CancellationToken), context);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Value);
        return await http.SendAsync(request, context.CancellationToken);
    }
}
