using System.Diagnostics.Metrics;

namespace Polly.SingleFlight.Telemetry;

/// <summary>Histograms that advise exporters of the boundaries of their buckets. This file is part of several packages.</summary>
internal static class MeterExtensions
{
    /// <summary>Creates a histogram. .NET 8 has no advice, so its build leaves the boundaries to the exporter.</summary>
    public static Histogram<T> CreateAdvisedHistogram<T>(this Meter meter, string name, string unit, string description, params T[] boundaries)
        where T : struct =>
#if NET9_0_OR_GREATER
        meter.CreateHistogram(name, unit, description, tags: null, new InstrumentAdvice<T> { HistogramBucketBoundaries = boundaries });
#else
        meter.CreateHistogram<T>(name, unit, description);
#endif
}
