using System.Diagnostics;
using OpenTelemetry.Trace;

namespace Polly.SingleFlight.Extensions.Tests.Telemetry;

/// <summary>Spans are the process's too, so these tests run by themselves.</summary>
[CollectionDefinition(nameof(TracingTests), DisableParallelization = true)]
public sealed class Tracing;

[Collection(nameof(TracingTests))]
public sealed class TracingTests : ClientTest
{
    private readonly List<Activity> _spans = [];

    [Fact]
    public async Task Spans_OfHttpClient_AreOncePerUpstreamCallAndFollowersWaitsAreLinked()
    {
        var (provider, tracing) = Trace(static client => client.AddSingleFlight());

        var callers = await Fly(Client(provider), 5);
        Gate.Open();
        await Task.WhenAll(callers);
        tracing.ForceFlush();

        var http = Assert.Single(Http());
        var flight = Assert.Single(_spans, static span => span.OperationName == "single_flight.flight");
        Assert.Equal(flight.SpanId, http.ParentSpanId);
        var waits = _spans.Where(static span => span.OperationName == "single_flight.wait").ToArray();
        Assert.Equal(4, waits.Length);
        Assert.All(waits, wait => Assert.Equal(flight.Context, Assert.Single(wait.Links).Context));
    }

    [Fact]
    public async Task Spans_OfRetriesInside_AreOncePerAttempt()
    {
        var (provider, tracing) = Trace(static client => client.AddRetries().AddSingleFlight());
        FailsFirst = true;

        var callers = await Fly(Client(provider), 5);
        Gate.Open();
        await Task.WhenAll(callers);
        tracing.ForceFlush();

        var flight = Assert.Single(_spans, static span => span.OperationName == "single_flight.flight");
        Assert.Equal(2, Http().Length);
        Assert.All(Http(), span => Assert.Equal(flight.SpanId, span.ParentSpanId));
    }

    [Fact]
    public async Task Spans_OfCallers_KeepTheirOwnTraces()
    {
        var (provider, tracing) = Trace(static client => client.AddSingleFlight());
        using var source = new ActivitySource("app");
        using var client = Client(provider);

        var callers = new List<Task>();
        var traces = new List<ActivityTraceId>();
        for (var i = 0; i < 3; i++)
        {
            callers.Add(As(i));
            await (i == 0 ? Probe.Reached(Started, 1) : Probe.Reached(Joined, i));
        }

        Gate.Open();
        await Task.WhenAll(callers);
        tracing.ForceFlush();

        var waits = _spans.Where(static span => span.OperationName == "single_flight.wait").Select(static span => span.TraceId);
        Assert.Equal(traces.Skip(1).Select(static trace => $"{trace}").Order(), waits.Select(static trace => $"{trace}").Order());
        Assert.Equal(traces[0], Assert.Single(Http()).TraceId);

        async Task As(int number)
        {
            using var activity = source.StartActivity($"caller {number}", ActivityKind.Server, default(ActivityContext));
            traces.Add(activity!.TraceId);
            await Get(client);
        }
    }

    protected override async Task AnswerAsync(Microsoft.AspNetCore.Http.HttpContext context)
    {
        context.Response.StatusCode = FailsFirst && Server.Calls == 1 ? 503 : 200;
        await base.AnswerAsync(context);
    }

    private bool FailsFirst { get; set; }

    private Activity[] Http() => [.. _spans.Where(span => span.Source.Name == "System.Net.Http")];

    private (ServiceProvider Provider, TracerProvider Tracing) Trace(Action<IHttpClientBuilder> configure)
    {
        var provider = Provide(services =>
        {
            services.AddOpenTelemetry().WithTracing(tracing => tracing
                .AddHttpClientInstrumentation()
                .AddSource("Polly.SingleFlight", "app")
                .AddInMemoryExporter(_spans));
            configure(services.AddHttpClient(Prices));
        });
        return (provider, provider.GetRequiredService<TracerProvider>());
    }
}
