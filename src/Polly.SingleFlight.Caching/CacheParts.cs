using Polly.SingleFlight.Caching.Calls;
using Polly.SingleFlight.Caching.Refresh;
using Polly.SingleFlight.Caching.Storage;
using Polly.SingleFlight.Caching.Telemetry;

namespace Polly.SingleFlight.Caching;

/// <summary>What the parts of one strategy work with.</summary>
internal sealed class CacheParts<TResult>
{
    private volatile bool _keepsOutside;
    private volatile object? _copier;

    public CacheParts(CacheStore store, CacheStrategyOptions<TResult> options, CacheTelemetry<TResult> telemetry, ResiliencePipelineBuilderBase builder)
    {
        Store = store;
        Builder = builder;
        Telemetry = telemetry;
        FindLocal = store.FindLocal<TResult>;
        Clock = builder.TimeProvider ?? TimeProvider.System;
        StoreTimeout = options.StoreTimeout;
        StaleOnError = options.StaleOnError;
        Evictions = store.IsShared && options.ManualControl is not null ? new RecentEvictions(Clock, options.RefreshTimeout) : null;
        Finder = new EntryFinder<TResult>(this);
        Keeper = new EntryKeeper<TResult>(this, options);
        Stale = new StaleAnswers<TResult>(this, options);
        Refreshes = new RefreshSchedule(Clock, options.MaxConcurrentRefreshes);
        RefreshTimeout = options.RefreshTimeout;
    }

    public CacheStore Store { get; }

    /// <summary>The look at the memory of the process for results of the pipeline's own type. A delegate, since a call of a virtual generic method costs more.</summary>
    public Func<object, CacheEntry<TResult>?> FindLocal { get; }

    public TimeProvider Clock { get; }

    public ResiliencePipelineBuilderBase Builder { get; }

    public CacheTelemetry<TResult> Telemetry { get; }

    public TimeSpan StoreTimeout { get; }

    public TimeSpan StaleOnError { get; }

    public TimeSpan RefreshTimeout { get; }

    public KeyLedger Ledger { get; } = new();

    /// <summary>What was evicted lately; null over a cache whose look-ups take no time.</summary>
    public RecentEvictions? Evictions { get; }

    public EntryFinder<TResult> Finder { get; }

    public EntryKeeper<TResult> Keeper { get; }

    public StaleAnswers<TResult> Stale { get; }

    public RefreshSchedule Refreshes { get; }

    /// <summary>
    /// Whether results are kept outside single flight, because something in between was seen to change them: a flight's result is then not what callers get.
    /// Never unset.
    /// </summary>
    public bool KeepsOutside
    {
        get => _keepsOutside;
        set => _keepsOutside = value;
    }

    /// <summary>The copier of results, once a flight has shown it.</summary>
    public Func<ResilienceContext, TActual, ValueTask<TActual>>? CopierOf<TActual>() => _copier as Func<ResilienceContext, TActual, ValueTask<TActual>>;

    public void SetCopier<TActual>(Func<ResilienceContext, TActual, ValueTask<TActual>> copier) => _copier = copier;

    public DateTimeOffset Now => Clock.GetUtcNow();
}
