using System.Diagnostics;

namespace FlightRecorder;

/// <summary>The names in the library's telemetry.</summary>
internal static class Names
{
    /// <summary>The source of flights and waits; those of the other packages begin with it.</summary>
    public const string Source = "Polly.SingleFlight";

    public const string Flight = "single_flight.flight";
    public const string Wait = "single_flight.wait";
    public const string Refresh = "polly.single_flight.cache.refresh";

    public const string Executions = "polly.single_flight.executions";
    public const string CacheHits = "polly.single_flight.cache.hits";
    public const string CacheRefreshes = "polly.single_flight.cache.refreshes";

    public const string Pipeline = "pipeline.name";
    public const string Instance = "pipeline.instance";
    public const string Role = "single_flight.role";
    public const string Callers = "single_flight.callers";
    public const string Outcome = "single_flight.outcome";
    public const string ErrorType = "error.type";

    /// <summary>The lane of flights whose callers have none.</summary>
    public static string PipelineOf(Activity activity)
    {
        var names = new[] { Pipeline, Instance }.Select(activity.GetTagItem).OfType<string>().Where(static name => name.Length > 0);
        return string.Join("/", names) is { Length: > 0 } lane ? lane : "unnamed pipeline";
    }
}
