using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Extensions.Tests.Handlers;

/// <summary>One failure, and what is made of it by the resilience handlers that people have, wherever single flight was added.</summary>
public sealed class PlacementTests : ClientTest
{
    private static readonly Dictionary<string, Action<IServiceCollection>> s_arrangements = new()
    {
        ["resilience in the defaults"] = static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddStandard());
            services.AddHttpClient(Prices).AddSingleFlight();
        },
        ["resilience in the defaults, registered later"] = static services =>
        {
            services.AddHttpClient(Prices).AddSingleFlight();
            services.ConfigureHttpClientDefaults(static client => client.AddStandard());
        },
        ["before resilience"] = static services => services.AddHttpClient(Prices).AddSingleFlight().AddStandard(),
        ["after resilience"] = static services => services.AddHttpClient(Prices).AddStandard().AddSingleFlight(),
        ["before resilience in the defaults"] = static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddSingleFlight().AddStandard());
            services.AddHttpClient(Prices);
        },
        ["after resilience in the defaults"] = static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddStandard().AddSingleFlight());
            services.AddHttpClient(Prices);
        },
        ["in the defaults and again"] = static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddSingleFlight().AddStandard());
            services.AddHttpClient(Prices).AddSingleFlight();
        },
        ["in the defaults, resilience of the client"] = static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddSingleFlight());
            services.AddHttpClient(Prices).AddStandard();
        },
        ["hedging in the defaults"] = static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddHedging());
            services.AddHttpClient(Prices).AddSingleFlight();
        },
        ["before hedging"] = static services => services.AddHttpClient(Prices).AddSingleFlight().AddHedging(),
        ["two resilience handlers"] = static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddStandard());
            services.AddHttpClient(Prices).AddRetries("own").AddSingleFlight();
        },
        ["between two resilience handlers"] = static services => services.AddHttpClient(Prices).AddStandard().AddSingleFlight().AddRetries("own"),
        ["a handler of the application between"] = static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddStandard());
            services.AddHttpClient(Prices).AddHttpMessageHandler(static () => new AppHandler(static _ => { })).AddSingleFlight();
        },
        ["service discovery and resilience in the defaults"] = static services =>
        {
            services.AddServiceDiscovery();
            services.ConfigureHttpClientDefaults(static client => client.AddStandard().AddServiceDiscovery());
            services.AddHttpClient(Prices).AddSingleFlight();
        },
        ["service discovery between"] = static services =>
        {
            services.AddServiceDiscovery();
            services.AddHttpClient(Prices).AddStandard().AddServiceDiscovery().AddSingleFlight();
        },
    };

    public static TheoryData<string> Arrangements => [.. s_arrangements.Keys];

    [Theory]
    [MemberData(nameof(Arrangements))]
    public async Task Callers_WhoseFirstAnswerIsUnavailable_AllGetTheSecondAndTheCircuitStaysClosed(string arrangement)
    {
        var provider = Provide(services =>
        {
            services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
            s_arrangements[arrangement](services);
        });
        using var client = Client(provider);

        var callers = await Fly(client, 100);
        Gate.Open();

        Assert.All(await Task.WhenAll(callers), static body => Assert.Equal("2 ", body));
        Assert.Equal(2, Server.Calls);
        Assert.DoesNotContain(Logs.GetSnapshot(), static record => record.Message.Contains("OnCircuitOpened", StringComparison.Ordinal));
        Assert.Equal("3 ", await Get(client));
    }

    [Fact]
    public async Task Users_WhomAHandlerBetweenAddsToTheRequest_NeverShare()
    {
        var provider = Provide(static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddStandard());
            services.AddHttpClient(Prices)
                .AddHttpMessageHandler(static () => new AddingHeader("X-User", static _ => Ambient.User))
                .AddSingleFlight();
        });
        using var client = Client(provider);

        var alice = await Ambient.As("alice", () => Fly(client, 3));
        await Server.Probe.Reached(TestServer.Called, 1);
        var bob = await Ambient.As("bob", () => Fly(client, 3));
        Gate.Open();

        Assert.All(await Task.WhenAll(alice), static body => Assert.EndsWith(" alice", body, StringComparison.Ordinal));
        Assert.All(await Task.WhenAll(bob), static body => Assert.EndsWith(" bob", body, StringComparison.Ordinal));
        Assert.Equal(3, Server.Calls);
        Assert.Empty(Warnings);
    }

    /// <summary>The order that <see cref="HttpSingleFlightStrategyOptions.KeepHandlerOrder"/> keeps shows in what it costs.</summary>
    [Fact]
    public async Task Callers_WithResilienceKeptOutside_AreEachRetried()
    {
        var provider = Provide(static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddStandard());
            services.AddHttpClient(Prices).AddSingleFlight(static options => options.KeepHandlerOrder = true);
        });

        var callers = await Fly(Client(provider), 3);
        Gate.Open();
        await Task.WhenAll(callers);

        Assert.Equal(6, Probe[Started] + Probe[Joined]);
        Assert.DoesNotContain(Records, static record => record.Level >= LogLevel.Information);
    }

    /// <summary>The first answer says that the server is unavailable.</summary>
    protected override Task AnswerAsync(HttpContext context)
    {
        context.Response.StatusCode = Server.Calls == 1 ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
        return base.AnswerAsync(context);
    }
}
