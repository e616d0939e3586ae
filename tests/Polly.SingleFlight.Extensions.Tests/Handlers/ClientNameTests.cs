namespace Polly.SingleFlight.Extensions.Tests.Handlers;

/// <summary>Clients side by side, and the names of typed ones, by which options and telemetry go.</summary>
public sealed class ClientNameTests : ClientTest
{
    [Fact]
    public async Task Clients_SideBySide_NeverShare()
    {
        var provider = Provide(static services =>
        {
            services.AddHttpClient("a").AddSingleFlight(static options => options.MaxElections = 5);
            services.AddHttpClient("b").AddSingleFlight();
            services.AddHttpClient("plain");
        });

        var a = await Fly(Client(provider, "a"), Client(provider, "a"));
        var b = await Fly(Client(provider, "b"));
        var plain = Get(Client(provider, "plain"));
        await Server.Probe.Reached(TestServer.Called, 3);
        Gate.Open();

        await Task.WhenAll([.. a, .. b, plain]);
        Assert.Equal(3, Server.Calls);
        Assert.Equal(2, Probe[Started]);
        Assert.Equal((5, 1), (OptionsOf(provider, "a").MaxElections, OptionsOf(provider, "b").MaxElections));
        Assert.NotSame(OptionsOf(provider, "a").Group, OptionsOf(provider, "b").Group);
    }

    [Fact]
    public async Task Clients_OfTheDefaults_NeverShare()
    {
        var provider = Provide(static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddSingleFlight(static options => options.MaxElections = 4));
            services.AddHttpClient("a");
            services.AddHttpClient("b").AddSingleFlight(static options => options.MaxElections = 6);
        });

        var a = await Fly(Client(provider, "a"), Client(provider, "a"));
        var b = await Fly(Client(provider, "b"), Client(provider, "b"));
        var unregistered = await Fly(Client(provider, "unregistered"), Client(provider, "unregistered"));
        Gate.Open();

        await Task.WhenAll([.. a, .. b, .. unregistered]);
        Assert.Equal(3, Server.Calls);
        Assert.Equal((4, 6), (OptionsOf(provider, "a").MaxElections, OptionsOf(provider, "b").MaxElections));
    }

    /// <summary>How two clients, whose handlers and certificates are others, come to have one group.</summary>
    private static readonly Dictionary<string, Action<IServiceCollection, SingleFlightGroup>> s_groups = new()
    {
        ["each is given it"] = static (services, group) =>
        {
            services.AddHttpClient("a").AddSingleFlight(options => options.Group = group);
            services.AddHttpClient("b").AddSingleFlight(options => options.Group = group);
        },
        ["in the defaults"] = static (services, group) =>
            services.ConfigureHttpClientDefaults(client => client.AddSingleFlight(options => options.Group = group)),
        ["in the options of all"] = static (services, group) =>
        {
            services.ConfigureAll<HttpSingleFlightStrategyOptions>(options => options.Group = group);
            services.ConfigureHttpClientDefaults(static client => client.AddSingleFlight());
        },
        ["in options that both use"] = static (services, _) => AddPipelines(services, "p", static (options, context) =>
            options.Group ??= context.GetSingleFlightGroup()),
        ["in pipelines of one name"] = static (services, group) => AddPipelines(services, "p", (options, _) => options.Group = group),
    };

    public static TheoryData<string> Groups => [.. s_groups.Keys];

    [Theory]
    [MemberData(nameof(Groups))]
    public async Task Clients_WithOneGroup_DoNotMeet(string how)
    {
        var group = new SingleFlightGroup();
        var provider = Provide(services => s_groups[how](services, group));

        var a = await Fly(Client(provider, "a"), Client(provider, "a"));
        var b = await Fly(Client(provider, "b"), Client(provider, "b"));
        Gate.Open();

        await Task.WhenAll([.. a, .. b]);
        Assert.Equal(2, Server.Calls);
    }

    [Fact]
    public async Task Clients_WithOneGroup_AWriteOfOneForgetsTheReadsOfTheOther()
    {
        var group = new SingleFlightGroup();
        var provider = Provide(services => s_groups["each is given it"](services, group));
        var before = await Fly(Client(provider, "a"));

        var write = Client(provider, "b").PutAsync(Server.At("/resource"), new StringContent("x")).Soon();
        await Server.Probe.Reached(TestServer.Called, 2);
        var after = await Fly(Client(provider, "a"));
        Gate.Open();

        await Task.WhenAll([.. before, .. after]);
        (await write).Dispose();
        Assert.Equal(3, Server.Calls);
    }

    private static void AddPipelines(
        IServiceCollection services, string name, Action<HttpSingleFlightStrategyOptions, ResilienceHandlerContext> configure)
    {
        foreach (var client in (string[])["a", "b"])
        {
            services.AddHttpClient(client).AddResilienceHandler(name, (builder, context) =>
            {
                var options = context.GetOptions<HttpSingleFlightStrategyOptions>("shared");
                configure(options, context);
                builder.AddSingleFlight(options);
            });
        }
    }

    [Fact]
    public Task TypedClient_WithInterface_IsNamedAfterTheInterface() =>
        IsNamed<ILogin>("ILogin", static services => services.AddHttpClient<ILogin, LoginClient>());

    [Fact]
    public Task TypedClient_WithoutInterface_IsNamedAfterTheClass() =>
        IsNamed<LoginClient>("LoginClient", static services => services.AddHttpClient<LoginClient>());

    [Fact]
    public Task TypedClient_ThatIsGeneric_IsNamedWithItsArguments() =>
        IsNamed<IStore<Order>>("IStore<Order>", static services => services.AddHttpClient<IStore<Order>, Store<Order>>());

    [Fact]
    public Task TypedClient_ThatIsGenericInGeneric_IsNamedWithAllArguments() =>
        IsNamed<Store<List<Order>>>("Store<List<Order>>", static services => services.AddHttpClient<Store<List<Order>>>());

    [Fact]
    public Task TypedClient_WithNameOfItsOwn_HasThatName() =>
        IsNamed<ILogin>("login", static services => services.AddHttpClient<ILogin, LoginClient>("login"));

    private async Task IsNamed<TClient>(string name, Func<IServiceCollection, IHttpClientBuilder> add)
        where TClient : class, ICaller
    {
        var provider = Provide(services =>
        {
            var builder = add(services).AddSingleFlight();
            Assert.Equal(name, builder.Name);
            services.Configure<HttpSingleFlightStrategyOptions>(name, static options => options.Methods.Remove(HttpMethod.Head));
        });
        using var head = new HttpRequestMessage(HttpMethod.Head, Server.At("/resource"));

        var first = provider.GetRequiredService<TClient>().Http.GetStringAsync(Server.At("/resource")).Soon();
        await Probe.Reached(Started, 1);
        var second = provider.GetRequiredService<TClient>().Http.GetStringAsync(Server.At("/resource")).Soon();
        await Probe.Reached(Joined, 1);
        Gate.Open();
        using var alone = await provider.GetRequiredService<TClient>().Http.SendAsync(head).Soon();

        Assert.Equal(await first, await second);
        Assert.Equal((1, 1), (Probe[Started], Probe[Bypassed]));
        Assert.Contains(Logs.GetSnapshot(), record => record.Message.Contains($"'SingleFlight/{name}'", StringComparison.Ordinal) && record.Category == Category);
    }

    internal interface ICaller
    {
        HttpClient Http { get; }
    }

    internal interface ILogin : ICaller;

    internal interface IStore<T> : ICaller;

    internal sealed record Order;

    internal sealed class LoginClient(HttpClient http) : ILogin
    {
        public HttpClient Http => http;
    }

    internal sealed class Store<T>(HttpClient http) : IStore<T>
    {
        public HttpClient Http => http;
    }
}
