using Microsoft.Extensions.Caching.Memory;
using Polly.Retry;
using Polly.SingleFlight.Caching;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>The code blocks of the documentation about the cache; see <see cref="Snippets"/>.</summary>
internal static class CacheSnippets
{
    public static async Task<Token> Cache(
        IMemoryCache cache, Func<string, CancellationToken, Task<Token>> requestTokenAsync, CancellationToken cancellationToken)
    {
        #region cache
        ResiliencePipeline<Token> pipeline = new ResiliencePipelineBuilder<Token> { Name = "tokens" }
            .AddCache(cache, new CacheStrategyOptions<Token>
            {
                LifetimeGenerator = args => new(CacheLifetime.FromExpiresIn(args.Result.ExpiresIn, args.Elapsed)),
                StaleOnError = TimeSpan.FromMinutes(1),
            })
            .AddSingleFlight()
            .AddRetry(new RetryStrategyOptions<Token>())
            .AddTimeout(TimeSpan.FromSeconds(3))
            .Build();

        Token token = await pipeline.ExecuteSingleFlightAsync(
            ("contoso", "europe"),                                       // one key for the cache and for single flight
            async flightToken => await requestTokenAsync("europe", flightToken),
            cancellationToken);
        #endregion
        return token;
    }

    internal sealed record Token(string Value, TimeSpan ExpiresIn);
}
