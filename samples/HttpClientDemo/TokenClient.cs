using System.Text.Json;
using Polly;

namespace HttpClientDemo;

/// <summary>
/// Gets access tokens. Typed clients are transient, the pipeline is one for the process: that is how callers with clients of
/// their own share a flight.
/// </summary>
internal sealed class TokenClient(HttpClient http, ResiliencePipeline<AccessToken> pipeline)
{
    /// <summary>
    /// Gets a token. Callers that ask for the same business and region at the same time share one request and its outcome.
    /// </summary>
    /// <param name="business">Who the token is for.</param>
    /// <param name="region">Where the token is for.</param>
    /// <param name="cancellationToken">Ends this caller's wait; the request goes on while anybody else waits for it.</param>
    /// <exception cref="TokenRequestException">The endpoint did not hand out a token.</exception>
    public ValueTask<AccessToken> GetTokenAsync(string business, string region, CancellationToken cancellationToken = default)
    {
        var key = new TokenKey(business, region);

        // The static lambda cannot capture cancellationToken by mistake: the request listens to the token it is given, the
        // flight's, because it serves more callers than this one.
        return pipeline.ExecuteSingleFlightAsync(
            key,
            static (request, flightToken) => request.Client.RequestTokenAsync(request.Key, flightToken),
            (Client: this, Key: key),
            cancellationToken);
    }

    private async ValueTask<AccessToken> RequestTokenAsync(TokenKey key, CancellationToken cancellationToken)
    {
        using var form = new FormUrlEncodedContent(
        [
            new("grant_type", "client_credentials"),
            new("business", key.Business),
            new("region", key.Region),
        ]);
        using var response = await http.PostAsync("connect/token", form, cancellationToken);
        var body = await ReadBodyAsync(response, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new TokenRequestException(key, response.StatusCode, body?.Error, body?.ErrorDescription);
        }

        if (string.IsNullOrEmpty(body?.AccessToken) || string.IsNullOrEmpty(body.TokenType))
        {
            throw new TokenRequestException(key, response.StatusCode, error: null, "the response has no access_token or token_type");
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
