using OpenTelemetry.Metrics;
using Polly.SingleFlight.Tests.Flights;

namespace Polly.SingleFlight.Tests.Telemetry;

/// <summary>Waits of milliseconds are told apart. OpenTelemetry sees the whole process, so these tests run by themselves.</summary>
[Collection(nameof(WholeThreadPool))]
public sealed class BucketTests : FlightTest
{
    private const string Wait = "polly.single_flight.wait.duration";

#if NET9_0_OR_GREATER
    [Fact]
    public async Task Waits_WithoutAView_FallIntoSeveralBuckets() => await AssertBuckets(static _ => { });
#endif

    /// <summary>What docs/telemetry.md advises where the instruments cannot.</summary>
    [Fact]
    public async Task Waits_WithTheDocumentedView_FallIntoSeveralBuckets() => await AssertBuckets(static metrics => metrics.AddView(Wait, new ExplicitBucketHistogramConfiguration
    {
        Boundaries = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    }));

    private async Task AssertBuckets(Action<MeterProviderBuilder> configure)
    {
        await using var scrape = await Scrape.StartAsync(configure);
        var name = Guid.NewGuid().ToString();
        var pipeline = new ResiliencePipelineBuilder { Name = name, TimeProvider = Clock }.AddSingleFlight(Watched()).Build();
        foreach (var milliseconds in new[] { 3, 20, 80, 2000 })
        {
            await Call(pipeline, "key", _ =>
            {
                Clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
                return Task.FromResult(1);
            });
        }

        var buckets = (await scrape.ReadAsync())
            .Where(sample => sample.Name == "polly_single_flight_wait_duration_seconds_bucket" && sample.Labels["pipeline_name"] == name)
            .ToDictionary(static sample => sample.Labels["le"], static sample => sample.Value);
        Assert.Equal((0, 1, 1, 2, 3, 3, 4), (buckets["0.001"], buckets["0.005"], buckets["0.01"], buckets["0.025"], buckets["0.1"], buckets["1"], buckets["2.5"]));
    }
}
