using Polly;

namespace HttpClientDemo;

/// <summary>Gets access tokens from the cache, and what is not there from the endpoint.</summary>
internal sealed class CachedTokenClient(ResiliencePipeline<AccessToken> pipeline, TokenClient client) : ITokenSource
{
    /// <inheritdoc/>
    public Task<AccessToken> GetTokenAsync(string business, string region, CancellationToken cancellationToken = default)
    {
        var key = new TokenKey(business, region);
        return pipeline.ExecuteSingleFlightAsync(
            key,
            static async (call, cancellationToken) =>
                await call.client.GetTokenAsync(call.key.Business, call.key.Region, cancellationToken),
            (client, key),
            cancellationToken).AsTask();
    }
}
