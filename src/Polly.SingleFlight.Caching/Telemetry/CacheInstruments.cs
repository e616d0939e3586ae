using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Polly.SingleFlight.Caching.Telemetry;

/// <summary>The meter "Polly.SingleFlight.Caching". Tags hold the names given to the pipeline and the strategy; never a key or a result.</summary>
internal static class CacheInstruments
{
    private static readonly Meter s_meter = new("Polly.SingleFlight.Caching");

    private static readonly Counter<long> s_hits = s_meter.CreateCounter<long>(
        "polly.single_flight.cache.hits", "{execution}", "Executions that found a result whose lifetime is not over.");

    private static readonly Counter<long> s_misses = s_meter.CreateCounter<long>(
        "polly.single_flight.cache.misses", "{execution}", "Executions that found none.");

    private static readonly Counter<long> s_stale = s_meter.CreateCounter<long>(
        "polly.single_flight.cache.stale", "{execution}", "Executions that failed and returned a result whose lifetime is over.");

    private static readonly Counter<long> s_refreshes = s_meter.CreateCounter<long>(
        "polly.single_flight.cache.refreshes", "{refresh}", "Background refreshes that have ended, by success.");

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
            // A listener that throws fails nobody's execution.
        }
    }
}
