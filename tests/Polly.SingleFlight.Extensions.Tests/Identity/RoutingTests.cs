namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>Routers that decide alike for all callers: service discovery and hedging.</summary>
public sealed class RoutingTests : RoutingTest
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
}
