using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>Runs the code blocks of docs/dependency-injection.md, and checks what is said about them.</summary>
public sealed class DependencyInjectionSnippetsRunTests : SnippetTest
{
    [Fact]
    public async Task Registrations_CatalogClient_CallersShareUnlessTheFlightIsOlderThanConfigured()
    {
        await StartServerAsync();
        var http = Named(Provide(services => DependencyInjectionSnippets.Registrations(services, Configuration)), "catalog");
        var callers = await Start(3, _ => http.GetAsync("products"));
        Time.Advance(TimeSpan.FromSeconds(3));
        var late = await StartApart(1, _ => http.GetAsync("products"));

        Gate.Open();

        Assert.Single((await Bodies(callers)).Distinct());
        await Bodies(late);
        Assert.Equal(2, Server.Calls);
    }

    [Fact]
    public async Task Registrations_TypedClient_HasTheOptionsOfTheNameThatTheFactoryUses()
    {
        await StartServerAsync();
        var provider = Provide(services => DependencyInjectionSnippets.Registrations(services, Configuration));
        var http = provider.GetRequiredService<DependencyInjectionSnippets.ILogin>().Http;
        var callers = await Start(3, _ => http.PostAsync("token", Form(("grant_type", "client_credentials"))));

        Gate.Open();

        await AllGot("answer 1", callers);
        Assert.Equal(1, Server.Calls);
        var monitor = provider.GetRequiredService<IOptionsMonitor<HttpSingleFlightStrategyOptions>>();
        Assert.True(monitor.Get(nameof(DependencyInjectionSnippets.ILogin)).ShareNoStoreResponses);
        Assert.Equal(3, monitor.Get(nameof(DependencyInjectionSnippets.ILogin)).MaxElections);
        Assert.False(monitor.Get(nameof(DependencyInjectionSnippets.LoginClient)).ShareNoStoreResponses);
    }

    [Fact]
    public async Task Registrations_ConfiguredClient_IsConfiguredBySection()
    {
        await StartServerAsync();
        Configuration["SingleFlight:Prices:Methods:0"] = "GET";
        Configuration["SingleFlight:Prices:AdditionalExcludedHeaders:0"] = "X-Trace";
        var http = Named(Provide(services => DependencyInjectionSnippets.Registrations(services, Configuration)), "prices");
        var callers = await Start(3, i => http.SendAsync(Get(Server.At("prices"), ("X-Trace", $"{i}"), ("traceparent", $"{i}"))));
        using var head = new HttpRequestMessage(HttpMethod.Head, "prices");
        var alone = http.SendAsync(head).Soon();
        await Server.Probe.Reached(TestServer.Called, 2);

        Gate.Open();

        Assert.Single((await Bodies(callers)).Distinct());
        await Body(alone);
        Assert.Equal(2, Server.Calls);
        Assert.Equal(1, Probe[Bypassed]);
    }

    [Fact]
    public async Task Defaults_EveryClientSharesAndTheOneWithIdentitiesKeepsThemApart()
    {
        await StartServerAsync();
        var provider = Provide(DependencyInjectionSnippets.Defaults);
        var account = provider.GetRequiredService<DependencyInjectionSnippets.AccountClient>().Http;
        var any = Named(provider, "any");

        DependencyInjectionSnippets.CurrentUserHandler.CurrentUser.Value = "alice";
        var alice = await Start(3, _ => account.GetAsync("account"));
        DependencyInjectionSnippets.CurrentUserHandler.CurrentUser.Value = "bob";
        var bob = await Start(3, _ => account.GetAsync("account"));
        var others = await Start(3, _ => any.GetAsync("account"));
        Gate.Open();

        Assert.Single((await Bodies(alice)).Distinct());
        Assert.Single((await Bodies(bob)).Distinct());
        Assert.Single((await Bodies(others)).Distinct());
        Assert.Equal(3, Server.Calls);
        Assert.Equal(0, Listener.Count("OnIdentityGuard"));
    }

    [Fact]
    public async Task DefaultsPipeline_OfAllClients_IsRefused()
    {
        await StartServerAsync();
        var provider = Provide(static services =>
            services.ConfigureHttpClientDefaults(static client => client.AddResilienceHandler("x", static pipeline => pipeline.AddSingleFlight())));

        var exception = Assert.Throws<InvalidOperationException>(() => Named(provider, "any"));

        Assert.Contains("ConfigureHttpClientDefaults(client => client.AddSingleFlight())", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Order_IdentityOutside_IsInTheKeyAndTheInnerHandlerSeesWhatIsSent()
    {
        await StartServerAsync();
        var provider = Provide(DependencyInjectionSnippets.Order);
        var http = provider.GetRequiredService<DependencyInjectionSnippets.OrderClient>().Http;

        var alice = await StartFor("alice");
        var bob = await StartFor("bob");
        Gate.Open();

        Assert.Single((await Bodies(alice)).Distinct());
        Assert.Single((await Bodies(bob)).Distinct());
        Assert.Equal(2, Server.Calls);
        Assert.Equal(["alice", "bob"], provider.GetRequiredService<DependencyInjectionSnippets.AuditLog>().Users);
        Assert.Equal(0, Listener.Count("OnIdentityGuard"));

        async Task<Task<HttpResponseMessage>[]> StartFor(string user)
        {
            DependencyInjectionSnippets.CurrentUserHandler.CurrentUser.Value = user;
            return await Start(3, _ => http.GetAsync("orders"));
        }
    }

    [Fact]
    public async Task OwnPipeline_IsReloaded_FlightsInTheAirAreStillJoinedAndRetriedOnce()
    {
        await StartServerAsync(HttpStatusCode.ServiceUnavailable);
        Configuration["SingleFlight:Quotes:MaxElections"] = "7";
        var provider = Provide(services => DependencyInjectionSnippets.OwnPipeline(services, Configuration));
        var http = provider.GetRequiredService<DependencyInjectionSnippets.QuoteClient>().Http;
        var callers = await Start(50, _ => http.GetAsync("quotes"));
        var monitor = provider.GetRequiredService<IOptionsMonitor<HttpSingleFlightStrategyOptions>>();
        Assert.Equal(7, monitor.Get("quotes").MaxElections);

        Configuration["SingleFlight:Quotes:MaxElections"] = "8";
        Configuration.Reload();
        await Probe.Reached("OnReload", 1);
        Assert.Equal(8, monitor.Get("quotes").MaxElections);
        var later = Enumerable.Range(0, 50).Select(_ => http.GetAsync("quotes").Soon()).ToArray();
        await Probe.Reached(Joined, 99);
        await OpenUntilRetriedAsync(TimeSpan.FromSeconds(15));

        await AllGot("answer 2", [.. callers, .. later]);
        Assert.Equal(2, Server.Calls);
    }

    [Fact]
    public async Task Forget_WhoeverAsksFromNowOn_StartsAfresh()
    {
        using var upstream = new Upstream(Gate, static sent => Ok($"answer {sent.Number}"));
        var provider = Provide(services => DependencyInjectionSnippets.Registrations(services, Configuration), keepsAddress: true, () => upstream);
        var http = Named(provider, "catalog");
        var uri = new Uri("https://catalog.example/products");
        var before = await Start(2, _ => http.GetAsync(uri));

        DependencyInjectionSnippets.Forget(provider.GetRequiredService<IOptionsMonitor<HttpSingleFlightStrategyOptions>>());
        var after = await StartApart(1, _ => http.GetAsync(uri));
        Gate.Open();

        await AllGot("answer 1", before);
        await AllGot("answer 2", after);
    }
}
