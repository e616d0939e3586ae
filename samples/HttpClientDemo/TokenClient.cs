using System.Text.Json;

namespace HttpClientDemo;

/// <summary>Gets access tokens. It knows nothing of the other callers: requests are shared below it, in the client it is given.</summary>
internal sealed class TokenClient(HttpClient http) : ITokenSource
{
    public const string Path = "connect/token";

    /// <inheritdoc/>
    public async Task<AccessToken> GetTokenAsync(string business, string region, CancellationToken cancellationToken = default)
    {
        using var form = new FormUrlEncodedContent(
        [
            new("grant_type", "client_credentials"),
            new("business", business),
            new("region", region),
        ]);
        using var response = await http.PostAsync(Path, form, cancellationToken);
        var body = await ReadBodyAsync(response, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new TokenRequestException(business, region, response.StatusCode, body?.Error, body?.ErrorDescription);
        }

        if (string.IsNullOrEmpty(body?.AccessToken) || string.IsNullOrEmpty(body.TokenType))
        {
            throw new TokenRequestException(
                business, region, response.StatusCode, error: null, "the response has no access_token or token_type");
        }

        return new AccessToken(
            body.AccessToken, body.TokenType, body.ExpiresIn is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
    }

    /// <summary>Reads the body, or null where something else than the endpoint answered, a gateway's error page say.</summary>
    private static async Task<TokenResponse?> ReadBodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentType?.MediaType is not "application/json")
        {
            return null;
        }

        try
        {
            return await response.Content.ReadFromJsonAsync<TokenResponse>(cancellationToken);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
