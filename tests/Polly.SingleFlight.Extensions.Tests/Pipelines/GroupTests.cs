namespace Polly.SingleFlight.Extensions.Tests.Pipelines;

/// <summary>The group of a pipeline of AddResilienceHandler.</summary>
public sealed class GroupTests : ClientTest
{
    private readonly List<SingleFlightGroup> _seen = [];

    [Fact]
    public async Task GetSingleFlightGroup_AfterAReload_IsTheSame()
    {
        var settings = new Settings(("MaxElections", "1"));
        var provider = Provide(services =>
        {
            services.Configure<HttpSingleFlightStrategyOptions>("own", settings.Prices);
            services.AddHttpClient(Prices).AddResilienceHandler("own", (pipeline, context) =>
            {
                context.EnableReloads<HttpSingleFlightStrategyOptions>("own");
                pipeline.AddSingleFlight(See(context));
            });
        });
        using var client = Client(provider);
        var callers = await Fly(client, 2);

        settings.Replace(("MaxElections", "2"));
        var late = await Join(client);
        settings.Replace(("MaxElections", "3"));
        var latest = await Join(client);
        Gate.Open();

        Assert.Single((await Task.WhenAll([.. callers, late, latest])).Distinct());
        Assert.Equal(1, Server.Calls);
        Assert.Equal(3, _seen.Count);
        Assert.Single(_seen.Distinct());
    }

    [Fact]
    public async Task GetSingleFlightGroup_OfOtherPipelinesClientsAndProviders_IsAnother()
    {
        ServiceProvider[] providers = [Provide(), Provide()];

        foreach (var provider in providers)
        {
            using var a = Client(provider, "a");
            using var b = Client(provider, "b");
        }

        Gate.Open();
        await Get(Client(providers[0], "a"));
        Assert.Equal(8, _seen.Count);
        Assert.Equal(8, _seen.Distinct().Count());

        ServiceProvider Provide() => base.Provide(services =>
        {
            foreach (var name in (string[])["a", "b"])
            {
                services.AddHttpClient(name).AddResilienceHandler("first", (pipeline, context) => pipeline.AddSingleFlight(See(context)));
                services.AddHttpClient(name).AddResilienceHandler("second", (pipeline, context) => pipeline.AddSingleFlight(See(context)));
            }
        });
    }

    /// <summary>Instances of a pipeline, such as one per address, are pipelines of their own.</summary>
    [Fact]
    public async Task GetSingleFlightGroup_OfOtherInstances_IsAnother()
    {
        var other = await Serve(AnswerAsync);
        var provider = ProvideClient(client => client
            .AddResilienceHandler("own", (pipeline, context) => pipeline.AddSingleFlight(See(context)))
            .SelectPipelineByAuthority());
        using var client = Client(provider);

        var first = await Fly(client, 2);
        var second = client.GetStringAsync(other.At("/resource")).Soon();
        await Probe.Reached(Started, 2);
        Gate.Open();

        await Task.WhenAll([.. first, second]);
        Assert.Equal(2, _seen.Distinct().Count());
    }

    /// <summary>
    /// Microsoft names a pipeline after the client and the handler with a hyphen between, and the first pipeline of a name is that of all.
    /// </summary>
    [Fact]
    public async Task GetSingleFlightGroup_OfNamesThatMakeOne_IsTheSame()
    {
        var provider = Provide(services =>
        {
            services.AddHttpClient("a-b").AddResilienceHandler("c", (pipeline, context) => pipeline.AddSingleFlight(See(context)));
            services.AddHttpClient("a").AddResilienceHandler("b-c", (pipeline, context) => pipeline.AddSingleFlight(See(context)));
        });

        var callers = await Fly(Client(provider, "a-b"), Client(provider, "a"));
        Gate.Open();

        Assert.Single((await Task.WhenAll(callers)).Distinct());
        Assert.Single(_seen);
    }

    [Fact]
    public void GetSingleFlightGroup_OfNull_Throws() =>
        Assert.Throws<ArgumentNullException>("context", static () => ((ResilienceHandlerContext)null!).GetSingleFlightGroup());

    private HttpSingleFlightStrategyOptions See(ResilienceHandlerContext context)
    {
        var options = Options(context);
        _seen.Add(options.Group!);
        return options;
    }
}
