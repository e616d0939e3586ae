using Microsoft.Extensions.Diagnostics.Metrics.Testing;

namespace Polly.SingleFlight.Extensions.Tests.Telemetry;

/// <summary>The base of tests that read meters, which are the process's: a client whose name nobody else has.</summary>
public abstract class TelemetryTest : ClientTest
{
    internal string Name { get; } = $"client-{Guid.NewGuid():N}";

    internal MetricCollector<int> Events { get; } = new(null, "Polly", "resilience.polly.strategy.events");

    internal MetricCollector<double> Attempts { get; } = new(null, "Polly", "resilience.polly.strategy.attempt.duration");

    internal MetricCollector<long> Executions { get; } = new(null, "Polly.SingleFlight", "polly.single_flight.executions");

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await base.DisposeAsync();
        Events.Dispose();
        Attempts.Dispose();
        Executions.Dispose();
    }

    /// <summary>The measurements of this test's client, or of its pipeline of that name; those of whole executions are left out.</summary>
    internal IReadOnlyList<CollectedMeasurement<T>> Of<T>(MetricCollector<T> collector)
        where T : struct
        => [.. collector.GetMeasurementSnapshot().Where(measured => $"{Tag(measured, "pipeline.instance")} {Tag(measured, "pipeline.name")}".Contains(Name, StringComparison.Ordinal)
            && Tag(measured, "event.name")?.StartsWith("Pipeline", StringComparison.Ordinal) != true)];

    /// <summary>Names and severities of events, and of which strategy.</summary>
    internal string[] EventNames() => [.. Of(Events)
        .Select(static measured => $"{Tag(measured, "event.name")} {Tag(measured, "event.severity")} {Tag(measured, "strategy.name")}").Order()];

    internal IEnumerable<FakeLogRecord> PollyRecords => Logs.GetSnapshot().Where(static record => record.Category == "Polly");

    internal static string? Tag<T>(CollectedMeasurement<T> measured, string name)
        where T : struct
        => measured.Tags.TryGetValue(name, out var value) ? value?.ToString() : null;

    internal ServiceProvider ProvideNamed(Action<IHttpClientBuilder> configure) => Provide(services => configure(services.AddHttpClient(Name)));
}
