using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Polly.SingleFlight.Caching.Telemetry;

/// <summary>The meter "Polly.SingleFlight.Caching". Tags hold the names given to the pipeline and the strategy; never a key or a result.</summary>
internal static class CacheInstruments
{
    /// <summary>Refreshes are activities of their own, since the call that set one off has ended before.</summary>
    private static readonly ActivitySource s_activities = new("Polly.SingleFlight.Caching");

    private static readonly Meter s_meter = new("Polly.SingleFlight.Caching");

    private static readonly Counter<long> s_hits = s_meter.CreateCounter<long>(
        "polly.single_flight.cache.hits", "{execution}", "Executions that found a result whose lifetime is not over.");

    private static readonly Counter<long> s_misses = s_meter.CreateCounter<long>(
        "polly.single_flight.cache.misses", "{execution}", "Executions that found none.");

    private static readonly Counter<long> s_stale = s_meter.CreateCounter<long>(
        "polly.single_flight.cache.stale", "{execution}", "Executions that failed and returned a result whose lifetime is over.");

    private static readonly Counter<long> s_refreshes = s_meter.CreateCounter<long>(
        "polly.single_flight.cache.refreshes", "{refresh}", "Background refreshes that have ended, by success.");

    public static TagList TagsOf(ResilienceStrategyOptions options, ResiliencePipelineBuilderBase builder)
    {
        var tags = default(TagList);
        foreach (var (name, value) in ((string, string?)[])[("pipeline.name", builder.Name), ("pipeline.instance", builder.InstanceName), ("strategy.name", options.Name)])
        {
            if (!string.IsNullOrEmpty(value))
            {
                tags.Add(name, value);
            }
        }

        return tags;
    }

    /// <summary>Begins the activity of a refresh, with a link to that of the caller that set it off. Does not throw.</summary>
    public static Activity? StartRefresh(ActivityContext caller, in TagList names)
    {
        if (!s_activities.HasListeners())
        {
            return null;
        }

        try
        {
            return s_activities.StartActivity(
                "polly.single_flight.cache.refresh", ActivityKind.Internal, parentContext: default, names, links: caller == default ? null : [new ActivityLink(caller)]);
        }
        catch (Exception)
        {
            // A listener that throws fails no refresh.
            return null;
        }
    }

    /// <summary>Sets the status of a refresh that has ended. Does not throw.</summary>
    public static void EndRefresh(Activity? refresh, Exception? failure)
    {
        if (failure is null)
        {
            refresh?.SetStatus(ActivityStatusCode.Ok);
            return;
        }

        refresh?.SetTag("error.type", failure.GetType().FullName);
        refresh?.SetStatus(ActivityStatusCode.Error);
    }

    public static void Hit(in TagList tags) => Count(s_hits, tags);

    public static void Miss(in TagList tags) => Count(s_misses, tags);

    public static void Stale(in TagList tags) => Count(s_stale, tags);

    public static void Refreshed(in TagList tags, bool succeeded)
    {
        if (s_refreshes.Enabled)
        {
            var all = tags;
            all.Add("success", succeeded);
            Count(s_refreshes, all);
        }
    }

    private static void Count(Counter<long> counter, in TagList tags)
    {
        if (!counter.Enabled)
        {
            return;
        }

        try
        {
            counter.Add(1, tags);
        }
        catch (Exception)
        {
            // A listener that throws fails no execution.
        }
    }
}
