namespace HttpClientDemo;

/// <summary>Where callers get their tokens from: the endpoint, or a cache in front of it.</summary>
internal interface ITokenSource
{
    /// <summary>Gets a token.</summary>
    /// <param name="business">Who the token is for.</param>
    /// <param name="region">Where the token is for.</param>
    /// <param name="cancellationToken">Ends this caller's wait; the request goes on while anybody else waits for it.</param>
    /// <exception cref="TokenRequestException">The endpoint did not hand out a token.</exception>
    Task<AccessToken> GetTokenAsync(string business, string region, CancellationToken cancellationToken = default);
}
