// Shows a service on the service defaults next door: its clients coalesce, retry once for all callers, and keep users apart.
// The catalog that it calls runs in this process, on a loopback port (Catalog.cs), and fails at first.
// Run it with: dotnet run --project samples/ServiceDefaults/CatalogService
using CatalogService;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;

await using Catalog catalog = await Catalog.StartAsync();
HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Error);
builder.Configuration["Services:catalog:http:0"] = catalog.Address;     // what service discovery knows of the catalog
builder.AddServiceDefaults();

// The defaults are all that this client needs.
builder.Services.AddHttpClient<ProductClient>(client => client.BaseAddress = new Uri("http://catalog"));

// This one has a handler that adds the user. Single flight goes behind it, so that the user is part of what makes requests equal.
builder.Services.AddTransient<UserHandler>();
builder.Services.AddHttpClient<BasketClient>(client => client.BaseAddress = new Uri("http://catalog"))
    .AddHttpMessageHandler<UserHandler>()
    .AddSingleFlight();

var metrics = new List<Metric>();
builder.Services.ConfigureOpenTelemetryMeterProvider(provider => provider.AddInMemoryExporter(metrics));
using IHost host = builder.Build();
await host.StartAsync();

// 1. 100 callers while the catalog fails once: one request, and one retry for all of them.
ProductClient products = host.Services.GetRequiredService<ProductClient>();
Task<string>[] callers = [.. Enumerable.Range(0, 100).Select(_ => products.GetAsync())];
catalog.Answer();
bool served = (await Task.WhenAll(callers)).All(answer => answer == "products");
int requests = catalog.Requests("/products");
host.Services.GetRequiredService<MeterProvider>().ForceFlush();
long followers = Count("polly.single_flight.executions", "single_flight.role", "follower");
long retries = Count("resilience.polly.strategy.events", "event.name", "OnRetry");
Console.WriteLine($"100 callers, {requests} requests: {followers} followers, {retries} retry");

// 2. 100 callers of two users: one request for each user, and each caller gets the basket of its own user.
BasketClient baskets = host.Services.GetRequiredService<BasketClient>();
Task<bool>[] users = [.. Enumerable.Range(0, 100).Select(i => baskets.GetAsync($"user {i % 2}"))
    .Select(async (answer, i) => await answer == $"basket of user {i % 2}")];
catalog.AnswerBaskets();
bool own = (await Task.WhenAll(users)).All(right => right);
int basketRequests = catalog.Requests("/basket");
Console.WriteLine($"100 callers of 2 users, {basketRequests} requests, each has the basket of its user: {own}");

return served && requests == 2 && followers == 99 && retries == 1 && own && basketRequests == 2 ? 0 : 1;

long Count(string instrument, string tag, string value)
{
    long sum = 0;
    foreach (Metric metric in metrics.Where(metric => metric.Name == instrument))
    {
        foreach (ref readonly MetricPoint point in metric.GetMetricPoints())
        {
            foreach (KeyValuePair<string, object?> pair in point.Tags)
            {
                sum += pair.Key == tag && (string?)pair.Value == value ? point.GetSumLong() : 0;
            }
        }
    }

    return sum;
}
