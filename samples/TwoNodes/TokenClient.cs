using System.Net.Http.Json;
using System.Text.Json.Serialization;
using Polly;

namespace TwoNodes;

/// <summary>Gets access tokens. It knows nothing of other callers and other nodes: the pipeline that it is given does.</summary>
internal sealed class TokenClient(IHttpClientFactory clients, ResiliencePipeline<AccessToken> pipeline)
{
    /// <param name="business">Business that the token is for.</param>
    /// <param name="region">Region that the token is for.</param>
    /// <param name="cancellationToken">Ends this caller's wait; the request goes on while anybody else waits for it.</param>
    /// <exception cref="HttpRequestException">The endpoint did not hand out a token, or cannot be reached.</exception>
    public ValueTask<AccessToken> GetTokenAsync(string business, string region, CancellationToken cancellationToken = default) =>
        pipeline.ExecuteSingleFlightAsync(
            (business, region),
            async flightToken => await RequestAsync(business, region, flightToken),
            cancellationToken);

    private async Task<AccessToken> RequestAsync(string business, string region, CancellationToken cancellationToken)
    {
        using var http = clients.CreateClient(nameof(TokenClient));
        using var form = new FormUrlEncodedContent(
        [
            new("grant_type", "client_credentials"),
            new("business", business),
            new("region", region),
        ]);
        using var response = await http.PostAsync("connect/token", form, cancellationToken);
        response.EnsureSuccessStatusCode();
        var body = await response.Content.ReadFromJsonAsync<Body>(cancellationToken);
        return new AccessToken(body!.AccessToken, TimeSpan.FromSeconds(body.ExpiresIn));
    }

    private sealed record Body([property: JsonPropertyName("access_token")] string AccessToken, [property: JsonPropertyName("expires_in")] int ExpiresIn);
}
