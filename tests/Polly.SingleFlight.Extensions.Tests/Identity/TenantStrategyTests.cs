namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>Strategies of an application that route its tenants, in resilience handlers that stand beside routers which decide alike for all callers.</summary>
public sealed class TenantStrategyTests : RoutingTest
{
    private const string AnotherHost = "another host, scheme or port";
    private const string AnotherPath = "another path or query";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TenantStrategy_BesideServiceDiscovery_IsIdentity(bool isBehind)
    {
        var provider = await Discover(1, client =>
        {
            client.AddSingleFlight();
            _ = isBehind ? AddPaths(client.AddServiceDiscovery()) : AddPaths(client).AddServiceDiscovery();
        });

        await EachTenantGetsItsOwn(provider, AnotherPath, Discovered);
    }

    /// <summary>What stands between resilience handlers in the defaults is moved next to them.</summary>
    [Fact]
    public async Task TenantStrategy_BetweenStandardResilienceAndServiceDiscovery_IsIdentity()
    {
        var provider = await Discover(1, static client => AddPaths(client.AddStandard()).AddServiceDiscovery().AddSingleFlight());

        await EachTenantGetsItsOwn(provider, AnotherPath, Discovered);
    }

    /// <summary>The names of services are the application's to choose from, and service discovery must not hide the choice.</summary>
    [Fact]
    public async Task TenantStrategy_ThatChoosesAmongServices_IsIdentity()
    {
        var provider = await Discover(1, static client => AddStrategy(client.AddSingleFlight(), static request =>
            request.RequestUri = new UriBuilder(request.RequestUri!) { Host = $"prices-{Ambient.User}" }.Uri).AddServiceDiscovery());

        await EachTenantGetsItsOwn(provider, AnotherHost, Discovered);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task TenantStrategy_BesideHedging_IsIdentity(bool isBehind, bool hasRoutes)
    {
        var provider = ProvideClient(client =>
        {
            client.AddSingleFlight();
            if (!isBehind)
            {
                AddPaths(client);
            }

            AddHedging(client, hasRoutes ? [Server] : []);
            if (isBehind)
            {
                AddPaths(client);
            }
        });

        await EachTenantGetsItsOwn(provider, AnotherPath);
    }

    /// <summary>Standard hedging is two handlers, and somebody may have put one of their own between them.</summary>
    [Fact]
    public async Task TenantStrategy_BetweenTheHandlersOfHedging_IsIdentity()
    {
        var provider = ProvideClient(client =>
        {
            AddHedging(client.AddSingleFlight(), [Server]);
            client.ConfigureAdditionalHttpMessageHandlers(static (handlers, _) =>
            {
                var pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>();
                ChangingStrategy.AddTo(pipeline, ToPath);
                handlers.Insert(handlers.Count - 1, new ResilienceHandler(pipeline.Build()));
            });
        });

        await EachTenantGetsItsOwn(provider, AnotherPath);
    }

    /// <summary>What a strategy behind hedging chooses might be one of the routes, and is no route all the same.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TenantStrategy_ThatChoosesAmongTheRoutes_IsIdentity(bool isRetried)
    {
        var servers = await ServeTenants();
        var provider = ProvideClient(client =>
        {
            client.AddSingleFlight();
            if (isRetried)
            {
                client.AddRetries();
            }

            AddHedging(client, [.. servers.Values]);
            AddStrategy(client, ToServer(servers));
            client.AddRetries("last");
        });

        await EachTenantGetsItsOwn(provider, AnotherHost);
    }

    /// <summary>Routes that are configured and never used must not cover for a strategy that chooses among them.</summary>
    [Fact]
    public async Task TenantStrategy_InPlaceOfHedging_IsIdentity()
    {
        var servers = await ServeTenants();
        var provider = ProvideClient(client =>
        {
            client.Services.Configure<OrderedGroupsRoutingOptions>(Prices, options => options.Groups.Add(
                new UriEndpointGroup { Endpoints = [.. servers.Values.Select(static server => new WeightedUriEndpoint { Uri = server.Address })] }));
            AddStrategy(client.AddSingleFlight(), ToServer(servers));
            client.AddRetries("last");
        });

        await EachTenantGetsItsOwn(provider, AnotherHost);
    }

    /// <summary>A callback of hedging runs inside its handler, and may do what the routes do not.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TenantCallback_OfHedging_IsIdentity(bool isPath)
    {
        var change = isPath ? ToPath : ToServer(await ServeTenants());
        var provider = ProvideClient(client =>
        {
            client.AddSingleFlight();
            client.AddStandardHedgingHandler(routing => AddRoutes(routing, [Server], isWeighted: false))
                .Configure(options => options.TotalRequestTimeout.TimeoutGenerator = args =>
                {
                    change(args.Context.GetRequestMessage()!);
                    return new(TimeSpan.FromSeconds(30));
                });
        });

        await EachTenantGetsItsOwn(provider, isPath ? AnotherPath : AnotherHost);
    }

    [Fact]
    public async Task TenantStrategy_BesideStandardResilience_IsIdentity() =>
        await EachTenantGetsItsOwn(ProvideClient(static client => AddPaths(client.AddStandard()).AddSingleFlight()), AnotherPath);

    private static void AddHedging(IHttpClientBuilder client, TestServer[] routes)
    {
        var hedging = client.AddStandardHedgingHandler();
        if (routes.Length > 0)
        {
            AddRoutes(hedging.RoutingStrategyBuilder, routes, isWeighted: false);
        }
    }

    private static HttpRequestMessage Discovered() => new(HttpMethod.Get, "http://prices/resource");

    private static IHttpClientBuilder AddPaths(IHttpClientBuilder client) => AddStrategy(client, ToPath);

    private static void ToPath(HttpRequestMessage request) => request.RequestUri = new Uri(request.RequestUri!, $"/of/{Ambient.User}");

    private static Action<HttpRequestMessage> ToServer(Dictionary<string, TestServer> servers) =>
        request => request.RequestUri = new Uri(servers[Ambient.User!].Address, request.RequestUri!.PathAndQuery);

    private static IHttpClientBuilder AddStrategy(IHttpClientBuilder client, Action<HttpRequestMessage> change)
    {
        client.AddResilienceHandler("tenants", pipeline => ChangingStrategy.AddTo(pipeline, change));
        return client;
    }
}
