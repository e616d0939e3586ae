using Microsoft.Extensions.Caching.Memory;
using Polly.CircuitBreaker;
using Polly.Hedging;
using Polly.Retry;
using Polly.SingleFlight.Caching;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>The code blocks of the documentation about other strategies; see <see cref="Snippets"/>.</summary>
internal static class CompositionSnippets
{
    public static ResiliencePipeline<string> Recommended(IMemoryCache cache)
    {
        #region composition-recommended
        ResiliencePipeline<string> pipeline = new ResiliencePipelineBuilder<string>()
            .AddCache(cache, new CacheStrategyOptions<string>())            // hits go no further
            .AddTimeout(TimeSpan.FromSeconds(7))                            // one caller's patience
            .AddSingleFlight()                                              // from here on once for all callers
            .AddRetry(new RetryStrategyOptions<string>
            {
                MaxRetryAttempts = 1,
                Delay = TimeSpan.FromSeconds(1),
                ShouldHandle = static args => new(args.Outcome.Exception
                    is not (null or OperationCanceledException or BrokenCircuitException)),
            })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<string>()) // counts attempts, not callers
            .AddHedging(new HedgingStrategyOptions<string> { Delay = TimeSpan.FromSeconds(1) })
            .AddTimeout(TimeSpan.FromSeconds(3))                            // one attempt's budget
            .Build();
        #endregion
        return pipeline;
    }
}
