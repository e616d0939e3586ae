namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>Routers that decide alike for all callers, service discovery and hedging, and routers of an application beside them.</summary>
public sealed class RoutingTests : IdentityTest
{
    public static TheoryData<string, int> Discovered => new()
    {
        { "http://prices/resource", 1 },
        { "http://prices/resource", 3 },
        { "https+http://prices/resource", 1 },
        { "https+http://prices/resource", 2 },
        { "http://_http.prices/resource", 1 },
    };

    [Theory]
    [MemberData(nameof(Discovered))]
    public async Task ServiceDiscovery_Inside_IsShared(string address, int endpoints) =>
        await AllShare(
            await Discover(endpoints, static client => client.AddSingleFlight().AddServiceDiscovery()),
            () => new HttpRequestMessage(HttpMethod.Get, address));

    [Theory]
    [MemberData(nameof(Discovered))]
    public async Task ServiceDiscovery_InTheDefaultsWithResilience_IsShared(string address, int endpoints) =>
        await AllShare(
            await Discover(endpoints, static client => client.AddSingleFlight(), static defaults => defaults.AddStandard().AddServiceDiscovery()),
            () => new HttpRequestMessage(HttpMethod.Get, address));

    [Fact]
    public async Task ServiceDiscovery_OutsideAlone_IsPartOfTheKey()
    {
        var provider = await Discover(1, static client => client.AddServiceDiscovery().AddSingleFlight());

        await AllShare(provider, static () => new HttpRequestMessage(HttpMethod.Get, "http://prices/resource"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HedgingRoutes_ToOtherHosts_AreShared(bool isWeighted)
    {
        var servers = new[] { await ServeAlike(), await ServeAlike() };
        var provider = ProvideClient(client =>
        {
            client.AddStandardHedgingHandler(routing => AddRoutes(routing, servers, isWeighted));
            client.AddSingleFlight();
        });

        await AllShare(provider);
        Assert.Equal(1, servers.Sum(static server => server.Calls));
        Assert.Equal(1, Server.Calls);
    }

    /// <summary>A route that a caller's request brings along is none of the flight's, also when the flight's own pipeline stands among routers.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HedgingRoutes_BesideAPipelineOfAddResilienceHandler_AreShared(bool isOutside)
    {
        var server = await ServeAlike();
        var provider = Provide(services =>
        {
            var client = services.AddHttpClient(Prices);
            if (isOutside)
            {
                client.AddStandardHedgingHandler(routing => AddRoutes(routing, [server], isWeighted: false));
            }

            client.AddResilienceHandler("own", (pipeline, context) => pipeline.AddSingleFlight(Options(context)));
            if (!isOutside)
            {
                client.AddStandardHedgingHandler(routing => AddRoutes(routing, [server], isWeighted: false));
            }

            services.AddHttpClient("other").AddSingleFlight();
        });

        await AllShare(provider);
    }

    [Fact]
    public async Task HedgingRoutes_AndServiceDiscovery_AreShared()
    {
        var provider = await Discover(2, static client =>
        {
            client.AddStandardHedgingHandler(static routing => routing.ConfigureOrderedGroups(static options => options.Groups.Add(
                new UriEndpointGroup { Endpoints = { new WeightedUriEndpoint { Uri = new Uri("http://prices") } } })));
            client.AddServiceDiscovery().AddSingleFlight();
        });

        await AllShare(provider, static () => new HttpRequestMessage(HttpMethod.Get, "http://catalogue/resource"));
    }

    /// <summary>A router of tenants before service discovery, and behind it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TenantRouter_BesideServiceDiscovery_IsIdentity(bool isBehind)
    {
        var provider = await Discover(1, client =>
        {
            client.AddSingleFlight();
            if (isBehind)
            {
                client.AddServiceDiscovery().AddHttpMessageHandler(Router);
            }
            else
            {
                client.AddHttpMessageHandler(Router).AddServiceDiscovery();
            }
        });

        await EachTenantGetsItsOwn(provider, "another path or query", static () => new HttpRequestMessage(HttpMethod.Get, "http://prices/resource"));
    }

    /// <summary>A router of tenants that chooses among the names of services is one that service discovery must not hide.</summary>
    [Fact]
    public async Task TenantRouter_ToAnotherService_IsIdentity()
    {
        var provider = await Discover(1, static client => client
            .AddSingleFlight()
            .AddHttpMessageHandler(static () => new AppHandler(static request =>
                request.RequestUri = new UriBuilder(request.RequestUri!) { Host = $"prices-{Ambient.User}" }.Uri))
            .AddServiceDiscovery());

        await EachTenantGetsItsOwn(
            provider, "another host, scheme or port", static () => new HttpRequestMessage(HttpMethod.Get, "http://prices/resource"));
    }

    [Fact]
    public async Task TenantRouter_InsideHedgingRoutes_IsIdentity()
    {
        var provider = ProvideClient(client =>
        {
            client.AddStandardHedgingHandler(routing => AddRoutes(routing, [Server], isWeighted: false));
            client.AddSingleFlight().AddHttpMessageHandler(Router);
        });

        await EachTenantGetsItsOwn(provider, "another path or query");
    }

    /// <summary>Between handlers of resilience nobody looks; that there are two, as hedging is, must not cover for a strategy that routes.</summary>
    [Fact]
    public async Task TenantRouter_InAStrategy_IsIdentity()
    {
        var provider = ProvideClient(static client =>
        {
            client.AddStandard().AddResilienceHandler("router", static pipeline => pipeline.AddStrategy(static _ => new Routing(), new RoutingOptions()));
            client.AddSingleFlight();
        });

        await EachTenantGetsItsOwn(provider, "another path or query");
    }

    /// <summary>Hedging without routes must not cover for a router.</summary>
    [Fact]
    public async Task TenantRouter_InsideHedgingWithoutRoutes_IsIdentity() => await EachTenantGetsItsOwn(
        ProvideClient(static client => client.AddHedging().AddSingleFlight().AddHttpMessageHandler(Router)), "another path or query");

    private static DelegatingHandler Router() =>
        new AppHandler(static request => request.RequestUri = new Uri(request.RequestUri!, $"/of/{Ambient.User}"));

    private static void AddRoutes(IRoutingStrategyBuilder routing, TestServer[] servers, bool isWeighted)
    {
        var endpoints = servers.Select(static server => new WeightedUriEndpoint { Uri = server.Address }).ToArray();
        if (isWeighted)
        {
            routing.ConfigureWeightedGroups(options => options.Groups.Add(new WeightedUriEndpointGroup { Endpoints = [.. endpoints] }));
            return;
        }

        routing.ConfigureOrderedGroups(options =>
        {
            foreach (var endpoint in endpoints)
            {
                options.Groups.Add(new UriEndpointGroup { Endpoints = [endpoint] });
            }
        });
    }

    /// <summary>A server that counts and answers as <see cref="ClientTest.Server"/> does.</summary>
    private Task<TestServer> ServeAlike() => Serve(context =>
    {
        Server.Probe.Hit(TestServer.Called);
        return AnswerAsync(context);
    });

    /// <summary>A client of the service "prices", which has so many endpoints, and those of its tenants, which have one.</summary>
    private async Task<ServiceProvider> Discover(
        int endpoints, Action<IHttpClientBuilder> configure, Action<IHttpClientBuilder>? defaults = null)
    {
        var settings = new Dictionary<string, string?> { ["Services:prices:http:0"] = Server.Address.OriginalString };
        for (var i = 1; i < endpoints; i++)
        {
            settings[$"Services:prices:http:{i}"] = (await ServeAlike()).Address.OriginalString;
        }

        foreach (var tenant in Tenants)
        {
            var server = await Serve(async context =>
            {
                Server.Probe.Hit(TestServer.Called);
                await Hold(context);
                await Write(context, tenant);
            });
            settings[$"Services:prices-{tenant}:http:0"] = server.Address.OriginalString;
        }

        return Provide(services =>
        {
            services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
            services.AddServiceDiscovery();
            if (defaults is not null)
            {
                services.ConfigureHttpClientDefaults(defaults);
            }

            configure(services.AddHttpClient(Prices));
        });
    }

    private sealed class RoutingOptions : ResilienceStrategyOptions;

    private sealed class Routing : ResilienceStrategy<HttpResponseMessage>
    {
        private static readonly ResiliencePropertyKey<HttpRequestMessage?> s_request = new("Resilience.Http.RequestMessage");

        protected override ValueTask<Outcome<HttpResponseMessage>> ExecuteCore<TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<HttpResponseMessage>>> callback, ResilienceContext context, TState state)
        {
            var request = context.Properties.GetValue(s_request, null)!;
            request.RequestUri = new Uri(request.RequestUri!, $"/of/{Ambient.User}");
            return callback(context, state);
        }
    }
}
