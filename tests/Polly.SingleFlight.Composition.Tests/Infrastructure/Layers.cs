using Microsoft.Extensions.Caching.Memory;
using Polly.CircuitBreaker;
using Polly.Hedging;
using Polly.Retry;
using Polly.SingleFlight.Caching;

namespace Polly.SingleFlight.Composition.Tests.Infrastructure;

/// <summary>The words of which an order is made, and what each adds to a pipeline.</summary>
internal sealed class Layers(IMemoryCache cache, Func<SingleFlightStrategyOptions<int>> flight, Action stored, Action refreshed)
{
    public const string Separator = " → ";
    public const double Patience = 7;
    public const double Attempt = 3;

    /// <summary>What the words mean, for docs/composition.md.</summary>
    private Dictionary<string, Action<ResiliencePipelineBuilder<int>>> Words => new()
    {
        ["cache"] = builder => builder.AddCache(cache, Cache()),
        ["cache with refresh"] = builder => builder.AddCache(cache, Cache(static options =>
            options.LifetimeGenerator = static _ => new(new CacheLifetime(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(40))))),
        ["cache with stale"] = builder => builder.AddCache(cache, Cache(static options => options.StaleOnError = TimeSpan.FromSeconds(600))),
        ["patience"] = static builder => builder.AddTimeout(TimeSpan.FromSeconds(Patience)),
        ["single flight"] = builder => builder.AddSingleFlight(flight()),
        ["single flight to the end"] = builder =>
        {
            var options = flight();
            options.CancelWhenAbandoned = false;
            builder.AddSingleFlight(options);
        },
        ["retry"] = static builder => builder.AddRetry(Retry()),
        ["retry apart"] = static builder => builder.AddRetry(RetryApart()),
        ["breaker"] = static builder => builder.AddCircuitBreaker(new CircuitBreakerStrategyOptions<int>
        {
            MinimumThroughput = 10,
            FailureRatio = 0.5,
            SamplingDuration = TimeSpan.FromSeconds(30),
            BreakDuration = TimeSpan.FromSeconds(5),
        }),
        ["hedging"] = static builder => builder.AddHedging(new HedgingStrategyOptions<int> { Delay = TimeSpan.FromSeconds(1), MaxHedgedAttempts = 1 }),
        ["attempt"] = static builder => builder.AddTimeout(TimeSpan.FromSeconds(Attempt)),
    };

    public ResiliencePipeline<int> Build(string order, TimeProvider clock)
    {
        var (builder, words) = (new ResiliencePipelineBuilder<int> { TimeProvider = clock }, Words);
        foreach (var word in order.Split(Separator, StringSplitOptions.RemoveEmptyEntries))
        {
            words[word](builder);
        }

        return builder.Build();
    }

    private CacheStrategyOptions<int> Cache(Action<CacheStrategyOptions<int>>? configure = null)
    {
        var options = new CacheStrategyOptions<int>
        {
            Lifetime = TimeSpan.FromSeconds(60),
            ShouldCache = _ =>
            {
                stored();
                return new(true);
            },
            OnRefresh = _ =>
            {
                refreshed();
                return default;
            },
        };
        configure?.Invoke(options);
        return options;
    }

    private static RetryStrategyOptions<int> Retry() => new()
    {
        MaxRetryAttempts = 1,
        BackoffType = DelayBackoffType.Constant,
        Delay = TimeSpan.FromSeconds(1),
    };

    /// <summary>Delays that differ from caller to caller, as jitter makes them: 1 s for the first ten callers, 2 s for the next, up to 10 s.</summary>
    private static RetryStrategyOptions<int> RetryApart()
    {
        var (options, callers) = (Retry(), 0);
        options.DelayGenerator = _ => new(TimeSpan.FromSeconds(1 + ((Interlocked.Increment(ref callers) - 1) / 10)));
        return options;
    }
}
