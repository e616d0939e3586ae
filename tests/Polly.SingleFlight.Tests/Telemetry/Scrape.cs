using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;

namespace Polly.SingleFlight.Tests.Telemetry;

/// <summary>OpenTelemetry with its exporter for Prometheus behind a server, and what Prometheus would read.</summary>
internal sealed partial class Scrape : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Scrape(WebApplication app) => _app = app;

    public static async Task<Scrape> StartAsync(Action<MeterProviderBuilder>? configure = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Services.AddOpenTelemetry().WithMetrics(metrics =>
        {
            metrics.AddMeter([.. LibraryInstruments.Meters])
                .AddPrometheusExporter(static options => options.ScrapeResponseCacheDurationMilliseconds = 0);
            configure?.Invoke(metrics);
        });
        var app = builder.Build();
        app.UseOpenTelemetryPrometheusScrapingEndpoint();
        await app.StartAsync();
        return new Scrape(app);
    }

    /// <summary>All samples: the name of the series, its labels and its value.</summary>
    public async Task<IReadOnlyList<Sample>> ReadAsync()
    {
        using var client = new HttpClient();
        var text = await client.GetStringAsync(new Uri(new Uri(Assert.Single(_app.Urls)), "metrics"));
        return
        [
            .. SampleLine().Matches(text).Select(static line => new Sample(
                line.Groups["name"].Value,
                Label().Matches(line.Groups["labels"].Value).ToDictionary(static label => label.Groups["name"].Value, static label => label.Groups["value"].Value),
                double.Parse(line.Groups["value"].Value, CultureInfo.InvariantCulture))),
        ];
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [GeneratedRegex(@"^(?<name>polly_\w+)\{(?<labels>.*)\} (?<value>\S+)", RegexOptions.Multiline)]
    private static partial Regex SampleLine();

    [GeneratedRegex(@"(?<name>\w+)=""(?<value>[^""]*)""")]
    private static partial Regex Label();

    internal sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);
}
