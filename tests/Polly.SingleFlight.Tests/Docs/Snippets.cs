using Microsoft.Extensions.DependencyInjection;
using Polly.Retry;
using Polly.Timeout;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>The code blocks of README.md and docs/*.md, compiled and, where they can be, run. <see cref="DocsTests"/> compares the texts.</summary>
internal static class Snippets
{
    public static async Task QuickStart(Func<string, CancellationToken, ValueTask<string>> requestTokenAsync, CancellationToken cancellationToken)
    {
        #region quick-start
        ResiliencePipeline pipeline = new ResiliencePipelineBuilder()
            .AddSingleFlight()
            .Build();

        // However many callers do this at the same time: one request, and its token for all of them.
        string token = await pipeline.ExecuteSingleFlightAsync(
            ("token", "contoso", "europe"),                              // the key: any value with value equality
            async flightToken => await requestTokenAsync("europe", flightToken),
            cancellationToken);                                          // ends this caller's wait and nobody else's
        #endregion
        _ = token;
    }

    public static async Task<string> Context(ResiliencePipeline pipeline, CancellationToken cancellationToken)
    {
        #region context
        ResilienceContext context = ResilienceContextPool.Shared.Get("GetPrices", cancellationToken);
        try
        {
            context.SetSingleFlightKey("prices/today");
            string prices = await pipeline.ExecuteAsync(
                async flight => await LoadPricesAsync(flight.CancellationToken), context);

            SingleFlightResult? result = context.GetSingleFlightResult();
            Console.WriteLine($"{result?.Role} among {result?.CallerCount} callers, waited {result?.WaitTime}");
            return prices;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
        #endregion
    }

    public static ResiliencePipeline KeyGenerator()
    {
        #region key-generator
        var tenant = new ResiliencePropertyKey<string>("tenant");
        ResiliencePipeline pipeline = new ResiliencePipelineBuilder()
            .AddSingleFlight(new SingleFlightStrategyOptions
            {
                // Everything in which two executions may differ belongs in the key; null is not coalesced.
                KeyGenerator = args => new(
                    args.Context.GetSingleFlightKey() is { } key && args.Context.Properties.TryGetValue(tenant, out var name)
                        ? (object)(name, key)
                        : null),
                MaxJoinAge = TimeSpan.FromSeconds(10),
            })
            .Build();
        #endregion
        return pipeline;
    }

    public static ResiliencePipeline<Report> Sharing()
    {
        #region sharing
        ResiliencePipeline<Report> pipeline = new ResiliencePipelineBuilder<Report>()
            .AddSingleFlight(new SingleFlightStrategyOptions<Report>
            {
                // A report made for one user only is not for the others: each of them then runs its own callback.
                ShouldShare = args => new(args.Outcome.Result is not { IsPersonal: true }),

                // Report is disposable, so every follower gets a copy that it owns.
                ResultCloner = args => new(args.Result.Copy()),
            })
            .Build();
        #endregion
        return pipeline;
    }

    public static ResiliencePipeline Composed()
    {
        #region composed
        ResiliencePipeline pipeline = new ResiliencePipelineBuilder()
            .AddTimeout(TimeSpan.FromSeconds(10))                      // one caller's patience
            .AddSingleFlight()                                         // from here on once for all callers
            .AddRetry(new RetryStrategyOptions { MaxRetryAttempts = 3 })
            .AddTimeout(TimeSpan.FromSeconds(3))                       // one attempt's budget
            .Build();
        #endregion
        return pipeline;
    }

    public static void Groups(Action<string> log)
    {
        #region groups
        var prices = new SingleFlightGroup();
        ResiliencePipeline pipeline = new ResiliencePipelineBuilder()
            .AddSingleFlight(new SingleFlightStrategyOptions { Group = prices })
            .Build();

        prices.Forget("prices/today");    // whoever comes now starts afresh; callers already waiting are unaffected
        prices.Cancel("prices/today");    // its callers get FlightCanceledException, its callback's token is cancelled
        foreach (FlightSnapshot flight in prices.GetFlights())
        {
            log($"{flight.ResultType.Name}: {flight.CallerCount} callers for {flight.Age}");
        }
        #endregion
        _ = pipeline;
    }

    public static void Scoped(IServiceCollection services)
    {
        #region typed-client
        services.AddSingleton(new ResiliencePipelineBuilder<Price>()
            .AddSingleFlight()
            .AddRetry(new RetryStrategyOptions<Price>())
            .Build());
        services.AddHttpClient<PriceClient>(client => client.BaseAddress = new Uri("https://prices.example/"));
        #endregion
    }

    public static SingleFlightStrategyOptions HandOver()
    {
        #region hand-over
        var options = new SingleFlightStrategyOptions
        {
            // Callbacks capture a scoped DbContext: when the leader leaves, run a remaining caller's callback instead.
            LeaderDeparture = LeaderDeparture.HandOver,
            MaxElections = 2,
        };
        #endregion
        return options;
    }

    public static async Task<string> Hop(
        ResiliencePipeline pipeline, Func<Func<Task<string>>, Task<string>> runOnWorkerAsync, CancellationToken cancellationToken)
    {
        #region hop
        string report = await pipeline.ExecuteSingleFlightAsync(
            "report",
            async flightToken => await runOnWorkerAsync(                 // a worker has an execution context of its own
                async () => await pipeline.ExecuteSingleFlightAsync(
                    "report", async token => await LoadPricesAsync(token), flightToken)),  // inside the flight, by its token
            cancellationToken);
        #endregion
        return report;
    }

    private static async Task<string> LoadPricesAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        return "prices";
    }

    #region price-client
    public sealed record Price(string Product, decimal Amount);

    public sealed class PriceClient(HttpClient http, ResiliencePipeline<Price> pipeline)
    {
        public ValueTask<Price> GetAsync(string product, CancellationToken cancellationToken) =>
            pipeline.ExecuteSingleFlightAsync(
                product,                                             // the key: the price is the same for everybody
                async flightToken =>
                {
                    // Share what was read from the response, never the response: that can be read only once.
                    using HttpResponseMessage response = await http.GetAsync($"price/{product}", flightToken);
                    response.EnsureSuccessStatusCode();
                    return new Price(product, decimal.Parse(
                        await response.Content.ReadAsStringAsync(flightToken), System.Globalization.CultureInfo.InvariantCulture));
                },
                cancellationToken);
    }
    #endregion

    public sealed class Report(bool isPersonal) : IDisposable
    {
        public bool IsPersonal { get; } = isPersonal;

        public Report Copy() => new(IsPersonal);

        public void Dispose()
        {
        }
    }
}
