using Microsoft.Extensions.Caching.Memory;
using Polly.CircuitBreaker;
using Polly.Hedging;
using Polly.Retry;
using Polly.SingleFlight.Caching;

namespace Polly.SingleFlight.Composition.Tests.Infrastructure;

/// <summary>The words of which an order is made, and what each adds to a pipeline.</summary>
internal sealed class Layers(IMemoryCache cache, Func<SingleFlightStrategyOptions<int>> flight, Action stored, Action refreshed, double lifetime = Layers.Lifetime)
{
    public const string Separator = " → ";
    public const double Lifetime = 60;
    public const double RefreshAfter = 40;
    public const double Patience = 7;
    public const double Attempt = 3;
    public const int Limit = 10;

    /// <summary>What the words mean; docs/composition.md explains them.</summary>
    private Dictionary<string, Action<ResiliencePipelineBuilder<int>>> Words => new()
    {
        ["cache"] = builder => builder.AddCache(cache, Cache()),
        ["cache with refresh"] = builder => builder.AddCache(cache, Cache(options => options.LifetimeGenerator = _ =>
            new(new CacheLifetime(TimeSpan.FromSeconds(lifetime), TimeSpan.FromSeconds(lifetime * RefreshAfter / Lifetime))))),
        ["cache with stale"] = builder => builder.AddCache(cache, Cache(options => options.StaleOnError = TimeSpan.FromSeconds(10 * lifetime))),
        ["patience"] = static builder => builder.AddTimeout(TimeSpan.FromSeconds(Patience)),
        ["single flight"] = builder => builder.AddSingleFlight(flight()),
        ["single flight to the end"] = builder =>
        {
            var options = flight();
            options.CancelWhenAbandoned = false;
            builder.AddSingleFlight(options);
        },
        ["single flight with hand over"] = builder =>
        {
            var options = flight();
            options.LeaderDeparture = LeaderDeparture.HandOver;
            builder.AddSingleFlight(options);
        },
        ["retry"] = static builder => builder.AddRetry(Retry()),
        ["retry apart"] = static builder => builder.AddRetry(RetryApart()),
        ["breaker"] = static builder => builder.AddCircuitBreaker(Breaker(10)),
        ["breaker of 100"] = static builder => builder.AddCircuitBreaker(Breaker(100)),
        ["breaker of 101"] = static builder => builder.AddCircuitBreaker(Breaker(101)),
        ["hedging"] = static builder => builder.AddHedging(new HedgingStrategyOptions<int>
        {
            ShouldHandle = static args => new(IsBad(args.Outcome)),
            Delay = TimeSpan.FromSeconds(1),
            MaxHedgedAttempts = 1,
        }),
        ["limiter"] = static builder => builder.AddConcurrencyLimiter(Limit),
        ["limiter with queue"] = static builder => builder.AddConcurrencyLimiter(Limit, queueLimit: Row.Callers),
        ["attempt"] = static builder => builder.AddTimeout(TimeSpan.FromSeconds(Attempt)),
    };

    /// <summary>What all of them handle: Polly's default, and results below zero, which stand for degraded answers.</summary>
    public static bool IsBad(Outcome<int> outcome) =>
        outcome.Exception is null ? outcome.Result < 0 : outcome.Exception is not OperationCanceledException;

    public ResiliencePipeline<int> Build(string order, TimeProvider clock, Action<ResiliencePipelineBuilder<int>>? inside = null)
    {
        var (builder, words) = (new ResiliencePipelineBuilder<int> { TimeProvider = clock }, Words);
        foreach (var word in order.Split(Separator, StringSplitOptions.RemoveEmptyEntries))
        {
            words[word](builder);
        }

        inside?.Invoke(builder);
        return builder.Build();
    }

    private CacheStrategyOptions<int> Cache(Action<CacheStrategyOptions<int>>? configure = null)
    {
        var options = new CacheStrategyOptions<int>
        {
            Lifetime = TimeSpan.FromSeconds(lifetime),
            ShouldCache = args =>
            {
                if (!IsBad(args.Outcome))
                {
                    stored();
                }

                return new(!IsBad(args.Outcome));
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

    private static CircuitBreakerStrategyOptions<int> Breaker(int throughput) => new()
    {
        ShouldHandle = static args => new(IsBad(args.Outcome)),
        MinimumThroughput = throughput,
        FailureRatio = 0.5,
        SamplingDuration = TimeSpan.FromSeconds(30),
        BreakDuration = TimeSpan.FromSeconds(5),
    };

    private static RetryStrategyOptions<int> Retry() => new()
    {
        ShouldHandle = static args => new(IsBad(args.Outcome)),
        MaxRetryAttempts = 1,
        BackoffType = DelayBackoffType.Constant,
        Delay = TimeSpan.FromSeconds(1),
    };

    /// <summary>Delays that differ from caller to caller, as jitter makes them: 1 s for the first twenty callers, 2 s for the next, up to 5 s.</summary>
    private static RetryStrategyOptions<int> RetryApart()
    {
        var (options, callers) = (Retry(), 0);
        options.DelayGenerator = _ => new(TimeSpan.FromSeconds(1 + ((Interlocked.Increment(ref callers) - 1) / 20)));
        return options;
    }
}
