using System.Net;

namespace HttpClientDemo;

/// <summary>The token endpoint answered, but not with a token.</summary>
internal sealed class TokenRequestException(string business, string region, HttpStatusCode statusCode, string? error, string? description)
    : Exception($"No token for {business} in {region}: {(int)statusCode} {error ?? statusCode.ToString()}"
        + (description is null ? "." : $", {description}."))
{
    /// <summary>The status of the response.</summary>
    public HttpStatusCode StatusCode { get; } = statusCode;

    /// <summary>The OAuth error code, such as <c>invalid_request</c>, if the response carried one.</summary>
    public string? Error { get; } = error;
}
