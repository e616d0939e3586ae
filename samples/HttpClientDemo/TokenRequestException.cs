using System.Net;

namespace HttpClientDemo;

/// <summary>
/// The token endpoint answered, but not with a token. Every caller of the flight gets this same exception.
/// </summary>
internal sealed class TokenRequestException(TokenKey key, HttpStatusCode statusCode, string? error, string? description)
    : Exception($"No token for {key.Business} in {key.Region}: {(int)statusCode} {error ?? statusCode.ToString()}"
        + (description is null ? "." : $", {description}."))
{
    /// <summary>The status of the response.</summary>
    public HttpStatusCode StatusCode { get; } = statusCode;

    /// <summary>The OAuth error code, such as <c>invalid_request</c>, if the response carried one.</summary>
    public string? Error { get; } = error;

    /// <summary>Whether the same request may succeed a moment later. A refusal (the other 4xx) stays a refusal.</summary>
    public bool IsTransient =>
        StatusCode is >= HttpStatusCode.InternalServerError or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests;
}
