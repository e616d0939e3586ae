// An endpoint whose answer is expensive: requests for the same report at the same time get it from one computation.
//
//   dotnet run --project samples/WebApi -- --urls http://localhost:5080
//   bash samples/WebApi/load.sh http://localhost:5080 200        in another terminal
//   curl http://localhost:5080/metrics                           what Prometheus reads
using OpenTelemetry.Metrics;
using Polly.SingleFlight;
using WebApi;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddSingleton<SingleFlightGroup>();
builder.Services.AddSingleton<Reports>();
builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter("Polly.SingleFlight").AddPrometheusExporter());

var app = builder.Build();
app.MapGet("/report/{region}", (string region, Reports reports, CancellationToken aborted) => reports.GetAsync(region, aborted));
app.MapPrometheusScrapingEndpoint();        // /metrics

// To look inside: how often a report was computed, and who waits now. POST /finish ends the computations that run.
app.MapGet("/calls", (Reports reports) => reports.Computed);
app.MapGet("/flights", (SingleFlightGroup group) =>
    group.GetFlights().Select(flight => new { Report = $"{flight.Key}", flight.CallerCount, Seconds = flight.Age.TotalSeconds }));
app.MapPost("/finish", (Reports reports) => reports.Finish());
app.Run();
