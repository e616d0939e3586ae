using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>Routers that decide alike for all callers: service discovery and hedging.</summary>
public sealed class RoutingTests : RoutingTest
{
    private const string Service = "http://prices/resource";

    public static TheoryData<string, int> Discovered => new()
    {
        { Service, 1 },
        { Service, 3 },
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
    public async Task ServiceDiscovery_AddedBefore_IsShared() => await AllShare(
        await Discover(3, static client => client.AddServiceDiscovery().AddSingleFlight()), () => new HttpRequestMessage(HttpMethod.Get, Service));

    /// <summary>Kept outside it is part of the key: one endpoint makes one key.</summary>
    [Fact]
    public async Task ServiceDiscovery_KeptOutside_IsPartOfTheKey() => await AllShare(
        await Discover(1, static client => client.AddServiceDiscovery().AddSingleFlight(static options => options.KeepHandlerOrder = true)),
        () => new HttpRequestMessage(HttpMethod.Get, Service));

    /// <summary>A write to one endpoint changes what the others answer: it is a write to the service.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ServiceDiscovery_OfAWrite_LetsReadersOfAllEndpointsStartAfresh(bool isBefore)
    {
        using var client = Client(await Discover(
            2, client => _ = isBefore ? client.AddServiceDiscovery().AddSingleFlight() : client.AddSingleFlight().AddServiceDiscovery()));

        var before = client.GetStringAsync(Service).Soon();
        await Server.Probe.Reached(TestServer.Called, 1);
        Gates[1].Open();
        (await client.PutAsync(Service, null).Soon()).Dispose();

        // The endpoints take turns, so this one is asked of the first.
        var after = client.GetStringAsync(Service).Soon();
        await Probe.Reached(Started, 2);
        Gates[0].Open();

        await Task.WhenAll(before, after);
        Assert.Equal((2, 0), (Probe[Started], Probe[Joined]));
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

    /// <summary>A second attempt goes to another route than the first, and so does a retry; hedging unescapes a path each time.</summary>
    [Theory]
    [InlineData("/resource", false)]
    [InlineData("/a%252Fb%2Fc/%25d%20e?f=%2F%20g#h", false)]
    [InlineData("/resource", true)]
    [InlineData("/a%252Fb%2Fc/%25d%20e?f=%2F%20g#h", true)]
    public async Task HedgingRoutes_OfLaterAttempts_AreShared(string path, bool isRetried)
    {
        var failures = 0;
        var broken = await Serve(Fail);
        var sound = await Serve(context =>
        {
            if (isRetried && failures == 1)
            {
                return Fail(context);
            }

            Server.Probe.Hit(TestServer.Called);
            return AnswerAsync(context);
        });
        var provider = ProvideClient(client =>
        {
            client.AddRetries().AddStandardHedgingHandler(routing => AddRoutes(routing, [broken, sound], isWeighted: false));
            client.AddSingleFlight();
        });

        await AllShare(provider, () => new HttpRequestMessage(HttpMethod.Get, Server.At(path)));
        Assert.Equal(isRetried ? 3 : 1, failures);
        Assert.Equal(1, Server.Calls);

        Task Fail(HttpContext context)
        {
            failures++;
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task HedgingRoutes_OfTheDefaults_AreShared()
    {
        var server = await ServeAlike();
        var provider = Provide(services =>
        {
            services.ConfigureHttpClientDefaults(client => client.AddStandardHedgingHandler(routing => AddRoutes(routing, [server], isWeighted: false)));
            services.AddHttpClient(Prices).AddSingleFlight();
        });

        await AllShare(provider);
        Assert.Equal(1, server.Calls);
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
