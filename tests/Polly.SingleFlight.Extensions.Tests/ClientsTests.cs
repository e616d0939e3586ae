namespace Polly.SingleFlight.Extensions.Tests;

/// <summary>Several clients, typed clients, and handlers around and inside.</summary>
public sealed class ClientsTests : ClientTest
{
    [Fact]
    public async Task Clients_SideBySide_DoNotMeet()
    {
        var provider = Provide(services =>
        {
            AddClient(services, "a").AddSingleFlight(static options => options.MaxElections = 5);
            AddClient(services, "b").AddSingleFlight();
            AddClient(services, "plain");
        });

        var a = await Fly(Client(provider, "a"), Client(provider, "a"));
        var b = await Fly(Client(provider, "b"));
        var plain = Client(provider, "plain").GetStringAsync(Address).Soon();
        await Upstream.Received(3);
        Gate.Open();

        await Task.WhenAll([.. a, .. b, plain]);
        Assert.Equal(3, Upstream.Calls);
        Assert.Equal(2, Probe[Started]);
        Assert.Equal((5, 1), (OptionsOf(provider, "a").MaxElections, OptionsOf(provider, "b").MaxElections));
        Assert.NotSame(OptionsOf(provider, "a").Group, OptionsOf(provider, "b").Group);
    }

    [Fact]
    public async Task Clients_WithOneGroup_Meet()
    {
        var group = new SingleFlightGroup();
        Track(group);
        var provider = Provide(services =>
        {
            AddClient(services, "a").AddSingleFlight(options => options.Group = group);
            AddClient(services, "b").AddSingleFlight(options => options.Group = group);
        });

        var callers = await Fly(Client(provider, "a"), Client(provider, "b"));
        Gate.Open();

        await Task.WhenAll(callers);
        Assert.Equal(1, Upstream.Calls);
    }

    [Fact]
    public async Task AddSingleFlight_OfTypedClient_TakesTheOptionsOfItsName()
    {
        var provider = Provide(services =>
        {
            services.AddHttpClient<PriceClient>(static client => client.BaseAddress = new Uri(Address, "/"))
                .ConfigurePrimaryHttpMessageHandler(() => Upstream)
                .AddSingleFlight();
            services.Configure<HttpSingleFlightStrategyOptions>(nameof(PriceClient), static options => options.MaxElections = 9);
        });

        var first = provider.GetRequiredService<PriceClient>().GetAsync().Soon();
        await Probe.Reached(Started, 1);
        var second = provider.GetRequiredService<PriceClient>().GetAsync().Soon();
        await Probe.Reached(Joined, 1);
        Gate.Open();

        Assert.Equal(await first, await second);
        Assert.Equal(1, Upstream.Calls);
        Assert.Equal(9, OptionsOf(provider, nameof(PriceClient)).MaxElections);
    }

    [Fact]
    public async Task AddSingleFlight_ForAllClients_GivesEachItsOwn()
    {
        var provider = Provide(services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddSingleFlight(static options => options.MaxElections = 4));
            AddClient(services, "a");
            AddClient(services, "b").AddSingleFlight(static options => options.MaxElections = 6);
        });

        var a = await Fly(Client(provider, "a"), Client(provider, "a"));
        var b = await Fly(Client(provider, "b"), Client(provider, "b"));
        Gate.Open();

        await Task.WhenAll([.. a, .. b]);
        Assert.Equal(2, Upstream.Calls);
        Assert.Equal(0, Probe[Bypassed]);
        Assert.Equal((4, 6), (OptionsOf(provider, "a").MaxElections, OptionsOf(provider, "b").MaxElections));
    }

    [Fact]
    public async Task Handler_ThatAddsIdentityOutside_KeepsUsersApart()
    {
        var users = new Queue<string>(["alice", "bob"]);
        var provider = ProvideClient(client => client
            .AddHttpMessageHandler(() => new StubHandler(request => request.Headers.Authorization = new("Bearer", users.Dequeue())))
            .AddSingleFlight());
        using var http = Client(provider);

        var alice = await Fly(http);
        var bob = await Fly(http);
        Gate.Open();

        await Task.WhenAll([.. alice, .. bob]);
        Assert.Equal(["Bearer alice", "Bearer bob"], Upstream.Requests.Select(static request => request.Header("Authorization")));
    }

    [Fact]
    public async Task Handler_ThatAddsIdentityInside_IsGuardedAgainst()
    {
        var users = new Queue<string>(["alice", "bob"]);
        var provider = ProvideClient(client => client
            .AddSingleFlight()
            .AddHttpMessageHandler(() => new StubHandler(request =>
            {
                lock (users)
                {
                    request.Headers.Authorization = new("Bearer", users.Dequeue());
                }
            })));
        using var http = Client(provider);

        var callers = await Fly(http, http);
        Gate.Open();

        Assert.Equal(2, (await Task.WhenAll(callers)).Distinct().Count());
        Assert.Equal(2, Upstream.Calls);
    }

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    public async Task Request_IsRedirected_IsSharedUnlessAHandlerInsideAddedAnIdentity(bool addsIdentity, int calls)
    {
        // As the handler does that follows redirects: another URI, and no Authorization.
        using var upstream = new Upstream(Gate, static sent =>
        {
            var user = sent.Header("Authorization");
            sent.Message.Headers.Authorization = null;
            sent.Message.RequestUri = new Uri(Address, "/elsewhere");
            return new HttpResponseMessage { Content = new StringContent(user ?? ""), RequestMessage = sent.Message };
        });
        var users = 0;
        var provider = Provide(services =>
        {
            var client = services.AddHttpClient("redirected").ConfigurePrimaryHttpMessageHandler(() => upstream).AddSingleFlight();
            if (addsIdentity)
            {
                client.AddHttpMessageHandler(() => new StubHandler(
                    request => request.Headers.Authorization = new("Bearer", $"{Interlocked.Increment(ref users)}")));
            }
        });
        using var http = Client(provider, "redirected");

        var callers = await Fly(http, http);
        Gate.Open();

        Assert.Equal(calls, (await Task.WhenAll(callers)).Distinct().Count());
        Assert.Equal(calls, upstream.Calls);
    }

    private sealed class PriceClient(HttpClient http)
    {
        public Task<string> GetAsync() => http.GetStringAsync("resource");
    }
}
