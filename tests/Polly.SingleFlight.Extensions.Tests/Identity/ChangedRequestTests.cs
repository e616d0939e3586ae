namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>Handlers inside that send to another address, by another method or with another body.</summary>
public sealed class ChangedRequestTests : IdentityTest
{
    [Fact]
    public async Task Path_ThatIsChanged_IsIdentity() => await EachTenantGetsItsOwn(
        Inside(static request => request.RequestUri = new Uri(request.RequestUri!, $"/of/{Ambient.User}")), "another path or query");

    [Fact]
    public async Task Query_ThatIsChanged_IsIdentity() => await EachTenantGetsItsOwn(
        Inside(static request => request.RequestUri = new UriBuilder(request.RequestUri!) { Query = $"tenant={Ambient.User}" }.Uri), "another path or query");

    [Fact]
    public async Task Body_ThatIsAdded_IsIdentity() => await EachTenantGetsItsOwn(
        Inside(static request => request.Content = new StringContent(Ambient.User!)), "another body");

    [Fact]
    public async Task Body_ThatIsReplaced_IsIdentity() => await EachTenantGetsItsOwn(
        Inside(static request => request.Content = new StringContent(Ambient.User!)),
        "another body",
        () => new HttpRequestMessage(HttpMethod.Post, Server.At("/resource")) { Content = new StringContent("same") });

    [Fact]
    public async Task Method_ThatIsChanged_IsIdentity() => await EachTenantGetsItsOwn(
        Inside(static request => request.Method = new HttpMethod(Ambient.User!)), "another method");

    [Fact]
    public async Task Port_ThatIsChanged_IsIdentity()
    {
        var servers = await ServeTenants();
        await EachTenantGetsItsOwn(
            Inside(request => request.RequestUri = new UriBuilder(request.RequestUri!) { Port = servers[Ambient.User!].Port }.Uri), "another host, scheme or port");
    }

    [Fact]
    public async Task Host_ThatIsChanged_IsIdentity()
    {
        var servers = await ServeTenants();
        await EachTenantGetsItsOwn(
            Inside(request => request.RequestUri = new UriBuilder(request.RequestUri!) { Host = "localhost", Port = servers[Ambient.User!].Port }.Uri),
            "another host, scheme or port");
    }

    /// <summary>What asks for https and is sent over http by a handler goes somewhere else than it says.</summary>
    [Fact]
    public async Task Scheme_ThatIsChanged_IsIdentity() => await EachTenantGetsItsOwn(
        Inside(static request =>
        {
            request.RequestUri = new UriBuilder(request.RequestUri!) { Scheme = "http" }.Uri;
            request.Headers.Add("X-Tenant", Ambient.User);
        }),
        "another host, scheme or port",
        () => new HttpRequestMessage(HttpMethod.Get, new UriBuilder(Server.At("/resource")) { Scheme = "https" }.Uri));

    /// <summary>A handler that restores what it changed when the response is there leaves no trace on the request.</summary>
    [Fact]
    public async Task Header_ThatIsTakenOffAgain_IsIdentity()
    {
        var provider = ProvideClient(static client => client.AddSingleFlight().AddHttpMessageHandler(static () => new Borrowing()));

        await EachTenantGetsItsOwn(provider, "the header X-Tenant");
    }

    private ServiceProvider Inside(Action<HttpRequestMessage> act) => ProvideClient(client => client
        .AddSingleFlight(static options => options.Methods.Add(HttpMethod.Post))
        .AddHttpMessageHandler(() => new AppHandler(act)));

    /// <summary>A server for each tenant, which answers with the tenant's name as <see cref="ClientTest.Server"/> does.</summary>
    private async Task<Dictionary<string, Uri>> ServeTenants()
    {
        var servers = new Dictionary<string, Uri>();
        foreach (var tenant in Tenants)
        {
            var server = await Serve(async context =>
            {
                Server.Probe.Hit(TestServer.Called);
                await Hold(context);
                await Write(context, tenant);
            });
            servers.Add(tenant, server.Address);
        }

        return servers;
    }

    private sealed class Borrowing : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Add("X-Tenant", Ambient.User);
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            finally
            {
                request.Headers.Remove("X-Tenant");
            }
        }
    }
}
