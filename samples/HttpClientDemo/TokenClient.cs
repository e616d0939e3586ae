using System.Net.Http.Json;
using System.Text.Json;
using Polly;

namespace HttpClientDemo;

/// <summary>Gets access tokens. It knows nothing of other callers: the pipeline and the client that it is given do.</summary>
internal sealed class TokenClient(HttpClient http, ResiliencePipeline<AccessToken> pipeline)
{
    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <param name="business">Business that the token is for.</param>
    /// <param name="region">Region that the token is for.</param>
    /// <param name="cancellationToken">Ends this caller's wait; the request goes on while anybody else waits for it.</param>
    /// <exception cref="HttpRequestException">The endpoint did not hand out a token, or cannot be reached.</exception>
    public ValueTask<AccessToken> GetTokenAsync(string business, string region, CancellationToken cancellationToken) =>
        pipeline.ExecuteSingleFlightAsync(
            (business, region),
            async flightToken => await RequestAsync(business, region, flightToken),
            cancellationToken);

    private async Task<AccessToken> RequestAsync(string business, string region, CancellationToken cancellationToken)
    {
        using var form = new FormUrlEncodedContent(
        [
            new("grant_type", "client_credentials"),
            new("business", business),
            new("region", region),
        ]);
        using var response = await http.PostAsync("connect/token", form, cancellationToken);

        // A gateway that answers in place of the endpoint does so in HTML.
        var body = response.Content.Headers.ContentType?.MediaType == "application/json"
            ? await response.Content.ReadFromJsonAsync<Body>(s_json, cancellationToken)
            : null;
        return response.IsSuccessStatusCode && body is { AccessToken: { } value, TokenType: { } type }
            ? new AccessToken(value, type, TimeSpan.FromSeconds(body.ExpiresIn))
            : throw new HttpRequestException(
                $"No token for {business} in {region}: {(int)response.StatusCode} {body?.Error}, {body?.ErrorDescription}.",
                inner: null,
                response.StatusCode);
    }

    /// <summary>An answer of the endpoint, a token (RFC 6749, 5.1) or an error (5.2).</summary>
    private sealed record Body(string? AccessToken, string? TokenType, int ExpiresIn, string? Error, string? ErrorDescription);
}
