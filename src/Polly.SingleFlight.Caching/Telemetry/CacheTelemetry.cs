using System.Diagnostics;
using Polly.Telemetry;

namespace Polly.SingleFlight.Caching.Telemetry;

/// <summary>
/// Everything the strategy reports, without key and without result, and the option callbacks. Nothing here throws.
/// </summary>
internal sealed class CacheTelemetry<TResult>(ResilienceStrategyTelemetry telemetry, CacheStrategyOptions<TResult> options, TagList tags)
{
    private static readonly ResilienceEvent s_hit = new(ResilienceEventSeverity.Debug, "OnCacheHit");
    private static readonly ResilienceEvent s_stale = new(ResilienceEventSeverity.Warning, "OnCacheStale");
    private static readonly ResilienceEvent s_miss = new(ResilienceEventSeverity.Debug, "OnCacheMiss");
    private static readonly ResilienceEvent s_refresh = new(ResilienceEventSeverity.Debug, "OnCacheRefresh");
    private static readonly ResilienceEvent s_refreshFailed = new(ResilienceEventSeverity.Warning, "OnCacheRefreshFailed");
    private static readonly ResilienceEvent s_serializersMissing = new(ResilienceEventSeverity.Warning, "OnCacheSerializersMissing");
    private static readonly ResilienceEvent s_failed = new(ResilienceEventSeverity.Error, "OnCacheFailed");

    private readonly Func<OnCacheHitArguments<TResult>, ValueTask>? _onHit = options.OnHit;
    private readonly Func<OnCacheMissArguments, ValueTask>? _onMiss = options.OnMiss;
    private readonly Func<OnCacheRefreshArguments<TResult>, ValueTask>? _onRefresh = options.OnRefresh;

    /// <inheritdoc cref="CacheInstruments.StartRefresh"/>
    public Activity? StartRefresh(ActivityContext caller) => CacheInstruments.StartRefresh(caller, tags);

    public ValueTask Hit(ResilienceContext context, TResult result, TimeSpan age, bool isStale)
    {
        if (isStale)
        {
            CacheInstruments.Stale(tags);
        }
        else
        {
            CacheInstruments.Hit(tags);
        }

        Report(isStale ? s_stale : s_hit, context, isStale);
        return _onHit is null ? default : InvokeAsync("OnHit", context, _onHit, new OnCacheHitArguments<TResult>(context, result, age, isStale));
    }

    public ValueTask Miss(ResilienceContext context)
    {
        CacheInstruments.Miss(tags);
        Report(s_miss, context, false);
        return _onMiss is null ? default : InvokeAsync("OnMiss", context, _onMiss, new OnCacheMissArguments(context));
    }

    public ValueTask Refreshed(ResilienceContext context, Outcome<TResult> outcome)
    {
        CacheInstruments.Refreshed(tags, outcome.Exception is null);
        Report(outcome.Exception is null ? s_refresh : s_refreshFailed, context, outcome.Exception?.GetType().FullName ?? "");
        return _onRefresh is null ? default : InvokeAsync("OnRefresh", context, _onRefresh, new OnCacheRefreshArguments<TResult>(context, outcome));
    }

    /// <summary>Reports that results are not serialized as the application wants it, and what to do about it.</summary>
    public void SerializersMissing(ResilienceContext context) => Report(s_serializersMissing, context, new SerializersMissingArguments());

    /// <summary>Reports a cache, or a callback of the options, that threw; its message might quote a key or a result.</summary>
    public void Failed(ResilienceContext context, string what, Exception exception) =>
        Report(s_failed, context, new CacheFailedArguments(what, exception.GetType().FullName));

    private void Report<TArgs>(ResilienceEvent @event, ResilienceContext context, TArgs args)
    {
        try
        {
            telemetry.Report(@event, context, args);
        }
        catch (Exception)
        {
            // A listener that throws fails no execution.
        }
    }

    private async ValueTask InvokeAsync<TArgs>(string callback, ResilienceContext context, Func<TArgs, ValueTask> invoke, TArgs args)
    {
        try
        {
            await invoke(args).ConfigureAwait(context.ContinueOnCapturedContext);
        }
        catch (Exception exception)
        {
            Failed(context, callback, exception);
        }
    }
}
