using System.Text.Json.Serialization;

namespace HttpClientDemo;

/// <summary>The body of the token endpoint's answers, a token (RFC 6749, 5.1) or an error (5.2).</summary>
internal sealed record TokenResponse(
    [property: JsonPropertyName("access_token")] string? AccessToken,
    [property: JsonPropertyName("token_type")] string? TokenType,
    [property: JsonPropertyName("expires_in")] int? ExpiresIn,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("error_description")] string? ErrorDescription);
