using System.Diagnostics;
using System.Diagnostics.Metrics;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Redis.Telemetry;

/// <summary>The meter "Polly.SingleFlight.Redis". Tags hold roles, reasons and the names given to the pipeline and the strategy; never a key, a scope or a result.</summary>
internal static class DistributedInstruments
{
    private static readonly Meter s_meter = new("Polly.SingleFlight.Redis");

    private static readonly string[] s_reasonNames = Enum.GetNames<DistributedBypassReason>();

    private static readonly Counter<long> s_executions = s_meter.CreateCounter<long>(
        "polly.single_flight.distributed.executions", "{execution}", "Executions that reached the strategy, by role and, when they ran alone, by reason.");

    private static readonly Histogram<double> s_waits = s_meter.CreateAdvisedHistogram<double>(
        "polly.single_flight.distributed.wait.duration", "s", "How long callers followed leaders of other nodes.",
        0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30);

    private static readonly Histogram<long> s_payloads = s_meter.CreateAdvisedHistogram<long>(
        "polly.single_flight.distributed.payload.size", "By", "The size of serialized outcomes that were handed over.",
        256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304);

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

    public static void Executed(TagList tags, string role, DistributedBypassReason? reason) => Guarded(() =>
    {
        tags.Add("single_flight.distributed.role", role);
        if (reason is { } why)
        {
            tags.Add("single_flight.distributed.reason", s_reasonNames[(int)why]);
        }

        s_executions.Add(1, tags);
    }, s_executions.Enabled);

    public static void Waited(TagList tags, TimeSpan time) => Guarded(() => s_waits.Record(time.TotalSeconds, tags), s_waits.Enabled);

    public static void HandedOver(TagList tags, int bytes) => Guarded(() => s_payloads.Record(bytes, tags), s_payloads.Enabled);

    private static void Guarded(Action measure, bool isEnabled)
    {
        if (!isEnabled)
        {
            return;
        }

        try
        {
            measure();
        }
        catch (Exception)
        {
            // A listener that throws fails no execution.
        }
    }
}
