using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight.Caching;

/// <summary>
/// Options of the cache strategy.
/// </summary>
/// <typeparam name="TResult">The result type of the pipeline.</typeparam>
/// <remarks>
/// The values are read when the pipeline is built. Only results are cached, never exceptions or cancellations. Times are those
/// of the builder's <see cref="ResiliencePipelineBuilderBase.TimeProvider"/>. What the event callbacks throw is reported to
/// telemetry and otherwise ignored.
/// </remarks>
public class CacheStrategyOptions<TResult> : ResilienceStrategyOptions
{
    internal static readonly Func<CacheKeyGeneratorArguments, ValueTask<object?>> KeyFromContext =
        static args => new(args.Context.GetSingleFlightKey());

    /// <summary>Initializes a new instance of the <see cref="CacheStrategyOptions{TResult}"/> class.</summary>
    public CacheStrategyOptions() => Name = "Cache";

    /// <summary>
    /// Gets or sets the generator of the key under which a result is cached. Entries of other pipelines and of other result types
    /// are apart anyway.
    /// </summary>
    /// <value>
    /// Required. The default returns <see cref="SingleFlightResilienceContextExtensions.GetSingleFlightKey"/> of the context, so that one
    /// key serves cache and single flight. A <see langword="null"/> key or an empty string bypasses the cache. Over a
    /// <c>HybridCache</c> keys must be strings. A generator that throws fails that caller only.
    /// </value>
    [Required]
    public Func<CacheKeyGeneratorArguments, ValueTask<object?>> KeyGenerator { get; set; } = KeyFromContext;

    /// <summary>
    /// Gets or sets how long a result is cached when there is no <see cref="LifetimeGenerator"/>.
    /// </summary>
    /// <value>Positive. The default is 5 minutes.</value>
    [Positive]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Gets or sets the function that tells how long a result is cached, and when it is refreshed ahead.
    /// </summary>
    /// <value>
    /// The default is <see langword="null"/>: <see cref="Lifetime"/> applies, without refresh. A generator that throws is reported, and
    /// the result is not cached.
    /// </value>
    public Func<CacheLifetimeGeneratorArguments<TResult>, ValueTask<CacheLifetime>>? LifetimeGenerator { get; set; }

    /// <summary>
    /// Gets or sets the predicate that decides whether a result is cached.
    /// </summary>
    /// <value>
    /// The default is <see langword="null"/>: every result is. It is not asked about exceptions. A predicate that throws is reported and
    /// counts as "no".
    /// </value>
    public Func<ShouldCachePredicateArguments<TResult>, ValueTask<bool>>? ShouldCache { get; set; }

    /// <summary>
    /// Gets or sets how long after the end of its lifetime a result is still returned when the call for a new one fails.
    /// </summary>
    /// <value>Zero or more. The default is zero: never.</value>
    [NotNegative]
    public TimeSpan StaleOnError { get; set; }

    /// <summary>
    /// Gets or sets the callback for a result that was found, reported on the caller's context before it returns.
    /// </summary>
    /// <value>The default is <see langword="null"/>.</value>
    public Func<OnCacheHitArguments<TResult>, ValueTask>? OnHit { get; set; }

    /// <summary>
    /// Gets or sets the callback for a result that was not found, reported on the caller's context before the call.
    /// </summary>
    /// <value>The default is <see langword="null"/>.</value>
    public Func<OnCacheMissArguments, ValueTask>? OnMiss { get; set; }

    /// <summary>
    /// Gets or sets the callback for a background refresh that has ended, reported on the context of the refresh.
    /// </summary>
    /// <value>The default is <see langword="null"/>.</value>
    public Func<OnCacheRefreshArguments<TResult>, ValueTask>? OnRefresh { get; set; }
}
