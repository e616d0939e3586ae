using System.Net;

namespace Polly.SingleFlight.Extensions.Tests;

public sealed class RegistrationTests : ClientTest
{
    [Fact]
    public void Methods_WithNull_Throw()
    {
        var builder = new ServiceCollection().AddHttpClient(Prices);
        IHttpClientBuilder none = null!;

        Assert.Throws<ArgumentNullException>("builder", () => none.AddSingleFlight());
        Assert.Throws<ArgumentNullException>("builder", () => none.AddSingleFlight(static _ => { }));
        Assert.Throws<ArgumentNullException>("builder", () => none.AddSingleFlight(new Settings().Root));
        Assert.Throws<ArgumentNullException>("builder", () => none.AddSingleFlightHandler("name", static (_, _) => { }));
        Assert.Throws<ArgumentNullException>("configure", () => builder.AddSingleFlight((Action<HttpSingleFlightStrategyOptions>)null!));
        Assert.Throws<ArgumentNullException>("section", () => builder.AddSingleFlight((IConfiguration)null!));
        Assert.Throws<ArgumentNullException>("pipelineName", () => builder.AddSingleFlightHandler(null!, static (_, _) => { }));
        Assert.Throws<ArgumentException>("pipelineName", () => builder.AddSingleFlightHandler("", static (_, _) => { }));
        Assert.Throws<ArgumentNullException>("configure", () => builder.AddSingleFlightHandler("name", null!));
    }

    [Fact]
    public void Methods_OfClient_ReturnItsBuilder()
    {
        var builder = new ServiceCollection().AddHttpClient(Prices);

        Assert.Same(builder, builder.AddSingleFlight());
        Assert.Same(builder, builder.AddSingleFlight(static _ => { }));
        Assert.Same(builder, builder.AddSingleFlight(new Settings().Prices));
        Assert.Same(builder, builder.AddSingleFlightHandler("name", static (_, _) => { }));
    }

    [Fact]
    public async Task AddSingleFlight_EqualRequests_AreSentOnce()
    {
        var provider = ProvideClient(static client => client.AddSingleFlight());

        var callers = await Fly(Client(provider), Client(provider), Client(provider));
        Gate.Open();

        Assert.All(await Task.WhenAll(callers), static body => Assert.Equal($"answer 1 to {Address}", body));
        Assert.Equal(1, Upstream.Calls);
        Assert.Equal(0, OptionsOf(provider).Group!.ActiveFlights);
    }

    [Fact]
    public async Task AddSingleFlight_WithUseTokenEndpoint_SharesNoStoreTokens()
    {
        using var upstream = new Upstream(Gate, static _ =>
        {
            var response = Ok("token");
            response.Headers.CacheControl = new() { NoStore = true };
            return response;
        });
        var provider = Provide(services => services.AddHttpClient(Prices)
            .ConfigurePrimaryHttpMessageHandler(() => upstream)
            .AddSingleFlight(static o => o.UseTokenEndpoint()));
        using var client = Client(provider);

        var first = Request("grant_type=client_credentials&scope=a");
        await Probe.Reached(Started, 1);
        var second = Request("scope=a&grant_type=client_credentials");
        await Probe.Reached(Joined, 1);
        var other = Request("grant_type=client_credentials&scope=b");
        await Probe.Reached(Started, 2);
        Gate.Open();

        Assert.All(await Task.WhenAll(first, second, other), static body => Assert.Equal("token", body));
        Assert.Equal(2, upstream.Calls);

        async Task<string> Request(string form)
        {
            using var content = new StringContent(form, mediaType: new("application/x-www-form-urlencoded"));
            using var response = await client.PostAsync(Address, content).Soon();
            return await response.Content.ReadAsStringAsync();
        }
    }

    [Fact]
    public async Task AddSingleFlight_Twice_AddsOneHandler()
    {
        var provider = ProvideClient(static client => client.AddSingleFlight().AddSingleFlight(static options => options.MaxElections = 3));
        Gate.Open();

        await Client(provider).GetStringAsync(Address).Soon();

        Assert.Equal(1, Probe[Started]);
        Assert.Equal(0, Probe[Bypassed]);
        Assert.Equal(3, OptionsOf(provider).MaxElections);
    }

    [Fact]
    public void AddSingleFlightHandler_NameTwice_Throws()
    {
        var builder = new ServiceCollection().AddHttpClient(Prices).AddSingleFlightHandler("retries", static (_, _) => { });

        var exception = Assert.Throws<InvalidOperationException>(() => builder.AddSingleFlightHandler("retries", static (_, _) => { }));
        Assert.Contains("'prices'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("'retries'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddSingleFlightHandler_NamedAsTheOtherMethodsPipeline_Throws()
    {
        var services = new ServiceCollection();
        var first = services.AddHttpClient("first").AddSingleFlight();
        var second = services.AddHttpClient("second").AddSingleFlightHandler("SingleFlight", static (_, _) => { });

        Assert.Throws<InvalidOperationException>(() => first.AddSingleFlightHandler("SingleFlight", static (_, _) => { }));
        Assert.Throws<InvalidOperationException>(() => second.AddSingleFlight());
    }

    [Fact]
    public async Task Client_WithoutLoggingOrOtherServices_Works()
    {
        var services = new ServiceCollection();
        AddClient(services).AddSingleFlight();
        await using var provider = services.BuildServiceProvider();
        Gate.Open();

        using var response = await Client(provider).GetAsync(Address).Soon();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }
}
