namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>The base of tests with service discovery and hedging over several servers, which all answer alike.</summary>
public abstract class RoutingTest : IdentityTest
{
    internal static void AddRoutes(IRoutingStrategyBuilder routing, TestServer[] servers, bool isWeighted)
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
    internal Task<TestServer> ServeAlike() => Serve(context =>
    {
        Server.Probe.Hit(TestServer.Called);
        return AnswerAsync(context);
    });

    /// <summary>A server for each tenant, which answers with its name.</summary>
    internal async Task<Dictionary<string, TestServer>> ServeTenants()
    {
        Dictionary<string, TestServer> servers = [];
        foreach (var tenant in Tenants)
        {
            servers[tenant] = await Serve(async context =>
            {
                Server.Probe.Hit(TestServer.Called);
                await Hold(context);
                await Write(context, tenant);
            });
        }

        return servers;
    }

    /// <summary>A client of the service "prices", which has so many endpoints, and those of its tenants, which have one.</summary>
    internal async Task<ServiceProvider> Discover(
        int endpoints, Action<IHttpClientBuilder> configure, Action<IHttpClientBuilder>? defaults = null)
    {
        var settings = new Dictionary<string, string?> { ["Services:prices:http:0"] = Server.Address.OriginalString };
        for (var i = 1; i < endpoints; i++)
        {
            settings[$"Services:prices:http:{i}"] = (await ServeAlike()).Address.OriginalString;
        }

        foreach (var (tenant, server) in await ServeTenants())
        {
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
}
