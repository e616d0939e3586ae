using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>Runs the code blocks of README.md and docs/http.md about HTTP, and checks what is said about them.</summary>
public sealed class HttpSnippetsRunTests : SnippetTest
{
    private const int Callers = 100;

    private bool _isNoStore;
    private bool _mayBeRetriedAtOnce;

    [Fact]
    public async Task Flagship_TokenEndpoint_ConcurrentRequestsForTheSameTokenBecomeOne()
    {
        _isNoStore = true;
        await StartServerAsync();
        var http = Provide(services => HttpSnippets.Flagship(services, Configuration)).GetRequiredService<HttpSnippets.TokenClient>().Http;
        var callers = await Start(Callers, _ => http.PostAsync("token", Form(("grant_type", "client_credentials"), ("scope", "a"))));

        Gate.Open();

        await AllGot("answer 1", callers);
        Assert.Equal(1, Server.Calls);
    }

    [Fact]
    public async Task Flagship_NamedClient_ConcurrentReadsBecomeOne()
    {
        await StartServerAsync();
        var http = Named(Provide(services => HttpSnippets.Flagship(services, Configuration)), "catalog");
        var callers = await Start(Callers, _ => http.GetAsync("products"));

        Gate.Open();

        await AllGot("answer 1", callers);
        Assert.Equal(1, Server.Calls);
    }

    [Fact]
    public async Task Flagship_ConfiguredClient_FollowsItsSectionWhileTheServiceRuns()
    {
        await StartServerAsync();
        var http = Provide(services => HttpSnippets.Flagship(services, Configuration)).GetRequiredService<HttpSnippets.PriceListClient>().Http;
        var shared = await Start(2, _ => http.GetAsync("prices"));

        Configuration["SingleFlight:Prices:Methods"] = "";
        Configuration.Reload();
        await Probe.Reached("OnReload", 1);
        var alone = new[] { http.GetAsync("prices").Soon(), http.GetAsync("prices").Soon() };
        await Server.Probe.Reached(TestServer.Called, 3);
        Gate.Open();

        Assert.Single((await Bodies(shared)).Distinct());
        Assert.Equal(2, (await Bodies(alone)).Distinct().Count());
        Assert.Equal(3, Server.Calls);
    }

    [Fact]
    public async Task Handler_OneUnavailable_IsRetriedOnceForAllCallers()
    {
        await StartServerAsync(HttpStatusCode.ServiceUnavailable);
        var http = Provide(HttpSnippets.Handler).GetRequiredService<HttpSnippets.PriceListClient>().Http;
        var callers = await Start(Callers, _ => http.GetAsync("prices"));

        await OpenUntilRetriedAsync();

        await AllGot("answer 2", callers);
        Assert.Equal(2, Server.Calls);
    }

    [Fact]
    public async Task ServiceDefaults_OneUnavailable_IsRetriedOnceForAllCallersAndTheCircuitStaysClosed()
    {
        await StartServerAsync(HttpStatusCode.ServiceUnavailable);
        Configuration["Services:catalog:http:0"] = Server.Address.ToString();
        var provider = Provide(HttpSnippets.ServiceDefaults, keepsAddress: true);
        var http = provider.GetRequiredService<HttpSnippets.CatalogClient>().Http;
        var callers = await Start(Callers, _ => http.GetAsync("products"));

        await OpenUntilRetriedAsync();
        await AllGot("answer 2", callers);
        Assert.Equal(2, Server.Calls);
        Assert.Equal(0, Listener.Count("OnCircuitOpened"));

        using var next = await http.GetAsync("products").Soon();
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
        Assert.Equal(3, Server.Calls);
        Assert.Equal(0, Listener.Count("OnIdentityGuard"));
        Assert.Single(Logged(provider, LogLevel.Information), static message => message.Contains("ResilienceHandler", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ResilienceOutside_OneUnavailable_IsAFailureOfEveryCallerAndOpensTheCircuit()
    {
        await StartServerAsync(HttpStatusCode.ServiceUnavailable);
        var provider = Provide(static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddStandardResilienceHandler());
            services.AddHttpClient<HttpSnippets.CatalogClient>().AddSingleFlight(static options => options.KeepHandlerOrder = true);
        });
        using var source = new CancellationTokenSource();
        var http = provider.GetRequiredService<HttpSnippets.CatalogClient>().Http;
        var callers = await Start(Callers, _ => http.GetAsync("products", source.Token));

        Gate.Open();
        await Probe.Reached("OnCircuitOpened", 1);
        await source.CancelAsync();

        Assert.Equal(1, Server.Calls);
        Assert.Empty(Logged(provider, LogLevel.Information));
        foreach (var caller in callers)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        }
    }

    [Fact]
    public async Task HttpResilience_OneUnavailable_IsRetriedOnceForAllCallers()
    {
        await StartServerAsync(HttpStatusCode.ServiceUnavailable);
        var http = Provide(HttpSnippets.HttpResilience).GetRequiredService<HttpSnippets.PriceListClient>().Http;
        var callers = await Start(Callers, _ => http.GetAsync("prices"));

        await OpenUntilRetriedAsync();

        await AllGot("answer 2", callers);
        Assert.Equal(2, Server.Calls);
    }

    [Fact]
    public async Task Pipeline_OneUnavailable_IsRetriedOnceForAllCallers()
    {
        // The pipeline has its own clock, so the server asks for a retry without a delay.
        _mayBeRetriedAtOnce = true;
        await StartServerAsync(HttpStatusCode.ServiceUnavailable);
        var http = Client(Sockets(), HttpSnippets.Pipeline());

        // A request without a body joins before its call returns.
        var callers = Enumerable.Range(0, Callers).Select(_ => http.GetAsync(Server.At("prices")).Soon()).ToArray();
        Gate.Open();

        await AllGot("answer 2", callers);
        Assert.Equal(2, Server.Calls);
    }

    [Fact]
    public async Task Key_OfDiscriminator_SeparatesTenants()
    {
        await StartServerAsync();
        var tenant = new AsyncLocal<string?>();
        using var request = Get(Server.At("prices"));
        using var other = Get(Server.At("prices"));
        var http = Client(Sockets(), Pipeline(HttpSnippets.Key(request, other, () => tenant.Value), listener: Listener));

        var red = await StartFor("red");
        var blue = await StartFor("blue");
        Gate.Open();

        Assert.Single((await Bodies(red)).Distinct());
        Assert.Single((await Bodies(blue)).Distinct());
        Assert.Equal(2, Server.Calls);

        async Task<Task<HttpResponseMessage>[]> StartFor(string name)
        {
            tenant.Value = name;
            return await Start(2, i => http.SendAsync(Get(Server.At("prices"), ("X-Trace", $"{name} {i}"))));
        }
    }

    [Fact]
    public async Task Key_OfRequests_SendsOneAloneAndJoinsWhatSaysItIsEqual()
    {
        await StartServerAsync();
        using var request = Get(Server.At("prices"));
        using var other = Get(Server.At("prices?region=eu"));
        using var equal = Get(Server.At("prices?region=europe"));
        var http = Client(Sockets(), Pipeline(HttpSnippets.Key(request, other, static () => "red"), listener: Listener));
        HttpSnippets.Key(new HttpRequestMessage(), equal, static () => "red");

        var leader = await Start(1, _ => http.SendAsync(Get(Server.At("prices"))));
        var alone = http.SendAsync(request).Soon();
        await Server.Probe.Reached(TestServer.Called, 2);
        var equals = await Start(2, i => http.SendAsync(i == 0 ? other : equal));
        Gate.Open();

        await Bodies([.. leader, alone]);
        Assert.Single((await Bodies(equals)).Distinct());
        Assert.Equal(3, Server.Calls);
    }

    [Fact]
    public async Task TokenEndpoint_SharesClientCredentialsAndSendsEverythingElseAsItIs()
    {
        _isNoStore = true;
        await StartServerAsync();
        var http = Provide(HttpSnippets.TokenEndpoint).GetRequiredService<HttpSnippets.TokenClient>().Http;
        var equal = await Start(2, i => http.PostAsync("token", i == 0
            ? Form(("grant_type", "client_credentials"), ("scope", "a"))
            : Form(("scope", "a"), ("grant_type", "client_credentials"))));
        var otherScope = await StartApart(1, _ => http.PostAsync("token", Form(("grant_type", "client_credentials"), ("scope", "b"))));
        Task<HttpResponseMessage>[] others =
        [
            http.PostAsync("token", Form(("grant_type", "refresh_token"), ("refresh_token", "r"))).Soon(),
            http.PostAsync("token", Form(("grant_type", "refresh_token"), ("refresh_token", "r"))).Soon(),
            http.GetAsync("token").Soon(),
            http.GetAsync("token").Soon(),
        ];
        await Server.Probe.Reached(TestServer.Called, 6);
        Gate.Open();

        Assert.Single((await Bodies(equal)).Distinct());
        Assert.Equal(5, (await Bodies([.. otherScope, .. others])).Distinct().Count());
        Assert.Equal(6, Server.Calls);
        Assert.Equal(4, Probe[Bypassed]);
    }

    [Fact]
    public async Task TypedClient_WithAPipelineAroundTheCall_CallersShareTheResult()
    {
        using var upstream = new Upstream(Gate, static _ => Ok("4.20"));
        var client = Provide(Snippets.Scoped, keepsAddress: true, () => upstream).GetRequiredService<Snippets.PriceClient>();

        // Only the leader sends, and the others join before their call returns.
        var callers = Enumerable.Range(0, Callers).Select(_ => client.GetAsync("tea", CancellationToken.None).Soon()).ToArray();
        Gate.Open();

        Assert.All(await Task.WhenAll(callers), static price => Assert.Equal(new Snippets.Price("tea", 4.20m), price));
        Assert.Equal("https://prices.example/price/tea", Assert.Single(upstream.Requests).Uri.AbsoluteUri);
    }

    protected override Task Answer(HttpResponse response, ReadOnlyMemory<byte> body)
    {
        if (_isNoStore)
        {
            response.Headers.CacheControl = "no-store";
        }

        if (_mayBeRetriedAtOnce)
        {
            response.Headers.RetryAfter = "0";
        }

        return base.Answer(response, body);
    }
}
