namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>Routers of an application beside those that decide alike for all callers.</summary>
public sealed class TenantRouterTests : RoutingTest
{
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

    /// <summary>Hedging without routes must not cover for a router.</summary>
    [Fact]
    public async Task TenantRouter_InsideHedgingWithoutRoutes_IsIdentity() => await EachTenantGetsItsOwn(
        ProvideClient(static client => client.AddHedging().AddSingleFlight().AddHttpMessageHandler(Router)), "another path or query");

    private static DelegatingHandler Router() =>
        new AppHandler(static request => request.RequestUri = new Uri(request.RequestUri!, $"/of/{Ambient.User}"));
}
