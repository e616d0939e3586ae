using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Polly.Telemetry;

namespace Polly.SingleFlight.Tests.Telemetry;

/// <summary>What answers the question why executions were not coalesced.</summary>
public sealed class BypassReasonTests : HttpTest
{
    private readonly RecordingListener _listener = new();

    private IEnumerable<RecordingListener.Report> Warnings =>
        _listener.Reports.Where(static report => report is { Name: "OnFlightBypassed", Severity: ResilienceEventSeverity.Warning });

    [Fact]
    public async Task OptedInMethod_RequestsAreSentAlone_FirstIsAWarning()
    {
        var client = Client(new Upstream(static _ => Ok("x")), Pipeline(PostOptions(), listener: _listener));
        for (var i = 0; i < 3; i++)
        {
            await Body(client.SendAsync(new(HttpMethod.Post, Address) { Content = new StreamContent(new MemoryStream([1])) }));
        }

        Assert.Equal([BypassReason.UnbufferedBody, BypassReason.UnbufferedBody, BypassReason.UnbufferedBody], Reasons);
        Assert.Single(Warnings);
        Assert.Same(_listener.Reports[0], Warnings.First());
    }

    [Fact]
    public async Task OptedInMethod_RequestOptsOut_IsNoWarning()
    {
        var client = Client(new Upstream(static _ => Ok("x")), Pipeline(PostOptions(), listener: _listener));
        var request = Post("x");
        request.DisableSingleFlight();
        await Body(client.SendAsync(request));

        Assert.Equal([BypassReason.OptedOut], Reasons);
        Assert.Empty(Warnings);
    }

    [Fact]
    public async Task OtherMethods_SentAlone_AreNoWarning()
    {
        var client = Client(new Upstream(static _ => Ok("x")), Pipeline(PostOptions(), listener: _listener));
        await Body(client.PutAsync(Address, null));
        await Body(client.SendAsync(Get(null, ("Cache-Control", "no-store"))));

        Assert.Equal([BypassReason.Method, BypassReason.Header], Reasons);
        Assert.Empty(Warnings);
    }

    [Fact]
    public async Task Pipeline_CallsNeverCarryAKey_OneWarning()
    {
        var pipeline = new ResiliencePipelineBuilder { TelemetryListener = _listener }.AddSingleFlight(Watched()).Build();
        for (var i = 0; i < 9; i++)
        {
            await pipeline.ExecuteAsync(static _ => default);
        }

        Assert.Empty(Warnings);
        for (var i = 0; i < 20; i++)
        {
            await pipeline.ExecuteAsync(static _ => default);
        }

        Assert.Single(Warnings);
    }

    [Fact]
    public async Task Pipeline_SomeCallsCarryAKey_NoWarning()
    {
        var pipeline = new ResiliencePipelineBuilder { TelemetryListener = _listener }.AddSingleFlight(Watched()).Build();
        await pipeline.ExecuteSingleFlightAsync("key", static _ => default);
        for (var i = 0; i < 20; i++)
        {
            await pipeline.ExecuteAsync(static _ => default);
        }

        Assert.Empty(Warnings);
    }

    [Fact]
    public async Task Executions_NotCoalesced_AreCountedByReason()
    {
        using var executions = new MetricCollector<long>(null, "Polly.SingleFlight", "polly.single_flight.executions");
        var builder = new ResiliencePipelineBuilder<HttpResponseMessage> { Name = nameof(Executions_NotCoalesced_AreCountedByReason) };
        var client = Client(new Upstream(static _ => Ok("x")), builder.AddSingleFlight(PostOptions()).Build());
        await Body(client.PutAsync(Address, null));
        await Body(client.GetAsync(Address));

        var tags = executions.GetMeasurementSnapshot()
            .Where(static measured => measured.Tags.GetValueOrDefault("pipeline.name") is nameof(Executions_NotCoalesced_AreCountedByReason))
            .Select(static measured => (measured.Tags["single_flight.role"], measured.Tags.GetValueOrDefault("single_flight.bypass_reason")));
        Assert.Equal([("bypassed", "Method"), ("leader", null)], tags);
    }
}
