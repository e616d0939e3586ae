using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight.Caching;

/// <summary>
/// Options of the cache strategy.
/// </summary>
/// <typeparam name="TResult">The result type of the pipeline.</typeparam>
/// <remarks>
/// The values are read when the pipeline is built. Only results are cached, never exceptions or cancellations, and only those that single flight
/// inside would give to a newcomer. Lifetimes, delays and limits are those of the builder's <see cref="ResiliencePipelineBuilderBase.TimeProvider"/>; the
/// cache evicts by a clock of its own. What the event callbacks throw is reported to telemetry and otherwise ignored.
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
    /// <c>HybridCache</c> a key must be a string, a number, a <see cref="bool"/>, a <see cref="Guid"/>, an enumeration or a tuple of these, which are spelled
    /// the same in every process; keys that are long or hold odd characters are stored under their SHA-256. A generator that throws fails that caller only.
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
    /// Gets or sets how long after the end of its lifetime a result is still returned when the call for a new one fails, as <see cref="ShouldHandle"/> decides.
    /// </summary>
    /// <value>Zero or more. The default is zero: never.</value>
    [NotNegative]
    public TimeSpan StaleOnError { get; set; }

    /// <summary>
    /// Gets or sets the predicate that decides which failures are answered with a stale result, as <see cref="StaleOnError"/> allows.
    /// </summary>
    /// <value>
    /// Required. The default answers exceptions that may be transient: all but cancellations without a time-out inside, HTTP status codes under 500 other
    /// than 408 and 429, <see cref="FlightCanceledException"/>, and those that say that the caller was refused (<see cref="UnauthorizedAccessException"/>,
    /// <see cref="System.Security.Authentication.AuthenticationException"/>, <see cref="System.Security.SecurityException"/>), also where another exception wraps one
    /// of these. A predicate that throws is reported and counts as "no". A caller whose own token has fired is never answered.
    /// </value>
    [Required]
    public Func<ShouldHandlePredicateArguments<TResult>, ValueTask<bool>> ShouldHandle { get; set; } =
        static args => new(TransientFailures.Includes(args.Outcome.Exception));

    /// <summary>
    /// Gets or sets how long, after a failure that was answered with a stale result, callers of that key get the stale result without a new call.
    /// </summary>
    /// <value>Zero or more. The default is zero: every caller makes, or joins, a call of its own first.</value>
    [NotNegative]
    public TimeSpan StaleRetryDelay { get; set; }

    /// <summary>
    /// Gets or sets how long a background refresh may take before its token is cancelled and another may begin.
    /// </summary>
    /// <value>Positive. The default is 30 seconds.</value>
    [Positive]
    public TimeSpan RefreshTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets how many background refreshes of the pipeline may run at a time. A hit that would begin one more begins none.
    /// </summary>
    /// <value>1 or more. The default is 16.</value>
    [Range(1, int.MaxValue)]
    public int MaxConcurrentRefreshes { get; set; } = 16;

    /// <summary>
    /// Gets or sets how long a look-up, or a store, may hold callers. A look-up that is late counts as a miss; a store that is late goes on by itself.
    /// </summary>
    /// <value>Positive. The default is 1 second.</value>
    [Positive]
    public TimeSpan StoreTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Gets or sets how long a <c>HybridCache</c> keeps an entry in the memory of the process at most, while it is in a distributed cache longer.
    /// </summary>
    /// <value>
    /// Positive, or <see langword="null"/>, the default: the cache's own default, if there is a distributed cache, else the lifetime. A memory cache does not use it.
    /// </value>
    [Positive]
    public TimeSpan? LocalCacheLifetime { get; set; }

    /// <summary>
    /// Gets or sets the name of the entries. Entries of different scopes never meet.
    /// </summary>
    /// <value>
    /// The default is <see langword="null"/>: the pipeline's <see cref="ResiliencePipelineBuilderBase.Name"/> and
    /// <see cref="ResiliencePipelineBuilderBase.InstanceName"/> and the strategy's name; a pipeline without a name has entries of its own. Set it where two pipelines
    /// have the same name, as registry keys with the same <see cref="object.ToString"/> have.
    /// </value>
    public string? Scope { get; set; }

    /// <summary>
    /// Gets or sets the version of the result's shape. Entries of different versions never meet, so that a new release of a service does not read
    /// what the old one wrote.
    /// </summary>
    /// <value>The default is <see langword="null"/>.</value>
    public string? Version { get; set; }

    /// <summary>
    /// Gets or sets the control that evicts entries.
    /// </summary>
    /// <value>The default is <see langword="null"/>. One control may be shared by several strategies.</value>
    public CacheManualControl? ManualControl { get; set; }

    /// <summary>
    /// Gets or sets the generator of the tags that an entry gets in a <c>HybridCache</c>, for its <c>RemoveByTagAsync</c>.
    /// </summary>
    /// <value>The default is <see langword="null"/>: none. A generator that throws is reported, and the result is not cached. A memory cache has no tags.</value>
    public Func<CacheTagsGeneratorArguments<TResult>, IEnumerable<string>?>? Tags { get; set; }

    /// <summary>
    /// Gets or sets the size of an entry in a memory cache, in the unit of its <c>SizeLimit</c>.
    /// </summary>
    /// <value>The default is <see langword="null"/>: 1. A function that throws is reported, and the result is not cached. A <c>HybridCache</c> counts bytes itself.</value>
    public Func<TResult, long>? Size { get; set; }

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
