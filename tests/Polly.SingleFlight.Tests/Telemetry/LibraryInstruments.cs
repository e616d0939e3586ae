using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Polly.SingleFlight.Caching;
using Polly.SingleFlight.Redis;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Tests.Telemetry;

/// <summary>The meters, activity sources and instruments of all packages, as they are in the assemblies.</summary>
internal static class LibraryInstruments
{
    private static readonly Assembly[] s_assemblies =
        [typeof(SingleFlightGroup).Assembly, typeof(CacheMode).Assembly, typeof(RedisSingleFlightGroup).Assembly, typeof(SingleFlightHttpClientBuilderExtensions).Assembly];

    public static IReadOnlyList<string> Meters { get; } = [.. Fields<Meter>().Select(static meter => meter.Name)];

    public static IReadOnlyList<string> ActivitySources { get; } = [.. Fields<ActivitySource>().Select(static source => source.Name)];

    public static IReadOnlyList<Instrument> All { get; } = Listen();

    /// <summary>Records something on every instrument, in the library's own way, so with the tags that it gives.</summary>
    public static void RecordEverything()
    {
        var tags = new TagList { { "pipeline.name", "tokens" }, { "pipeline.instance", "eu" }, { "strategy.name", "tokens" } };
        foreach (var reason in Enum.GetValues<BypassReason>())
        {
            SingleFlightInstruments.ExecutionEnded(SingleFlightResult.Bypassed(reason), tags);
        }

        foreach (var role in new[] { SingleFlightRole.Leader, SingleFlightRole.Follower })
        {
            SingleFlightInstruments.ExecutionEnded(new SingleFlightResult(role, 2, 1, TimeSpan.FromSeconds(1)), tags);
        }

        var cache = typeof(CacheMode).Assembly.GetType("Polly.SingleFlight.Caching.Telemetry.CacheInstruments", throwOnError: true)!;
        foreach (var name in new[] { "Hit", "Miss", "Stale" })
        {
            Invoke(cache, name, tags);
        }

        Invoke(cache, "Refreshed", tags, true);
        Invoke(cache, "Refreshed", tags, false);
        var distributed = typeof(RedisSingleFlightGroup).Assembly.GetType("Polly.SingleFlight.Redis.Telemetry.DistributedInstruments", throwOnError: true)!;
        Invoke(distributed, "Executed", tags, "leader", null);
        Invoke(distributed, "Executed", tags, "follower", null);
        foreach (var reason in Enum.GetValues<DistributedBypassReason>())
        {
            Invoke(distributed, "Executed", tags, "alone", reason);
        }

        Invoke(distributed, "Waited", tags, TimeSpan.FromSeconds(1));
        Invoke(distributed, "HandedOver", tags, 1000);
    }

#if NET9_0_OR_GREATER
    /// <summary>The boundaries of buckets that a histogram advises, as they are written in any culture.</summary>
    public static IEnumerable<string> Boundaries(Instrument histogram) => histogram switch
    {
        Histogram<int> numbers => Text(numbers.Advice!.HistogramBucketBoundaries!),
        Histogram<long> numbers => Text(numbers.Advice!.HistogramBucketBoundaries!),
        Histogram<double> numbers => Text(numbers.Advice!.HistogramBucketBoundaries!),
        _ => throw new NotSupportedException(histogram.GetType().Name),
    };

    private static IEnumerable<string> Text<T>(IReadOnlyList<T> boundaries) => boundaries.Select(static boundary => FormattableString.Invariant($"{boundary}"));
#endif

    private static void Invoke(Type type, string method, params object?[] arguments) =>
        type.GetMethod(method, BindingFlags.Static | BindingFlags.Public)!.Invoke(null, arguments);

    private static IEnumerable<T> Fields<T>() =>
        from assembly in s_assemblies
        from type in assembly.GetTypes()
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        where field.FieldType == typeof(T)
        select (T)field.GetValue(null)!;

    private static List<Instrument> Listen()
    {
        // To read the field of a meter has made the instruments beside it.
        var all = new List<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (Meters.Contains(instrument.Meter.Name))
                {
                    all.Add(instrument);
                }
            },
        };
        listener.Start();
        return all;
    }
}
