using Microsoft.Extensions.Hosting;

namespace Polly.SingleFlight.Extensions.Tests.Configuration;

/// <summary>Options from configuration in a pipeline that is made by hand.</summary>
public sealed class BindSingleFlightTests : ClientTest
{
    private const string Options = "prices";

    [Fact]
    public async Task BindSingleFlight_OptionsOfAHandler_AreThoseOfTheSectionAndChangeWithIt()
    {
        var settings = new Settings(("MaxElections", "7"), ("Methods:0", "PUT"));
        var provider = ProvideClient(client => AddPipeline(client, settings));
        using var http = Client(provider);

        Assert.Equal(7, OptionsOf(provider, Options).MaxElections);
        Assert.Equal([HttpMethod.Put], OptionsOf(provider, Options).Methods);
        Gate.Open();
        await http.GetStringAsync(Address);
        Assert.Equal(0, Probe[Started]);

        settings.Replace(("Methods:0", "GET"));
        await http.GetStringAsync(Address);
        Assert.Equal(1, Probe[Started]);
    }

    [Fact]
    public async Task BindSingleFlight_MistakeInTheSection_HostDoesNotStartAndNamesTheKey()
    {
        var settings = new Settings(("MaxElections", "many"));

        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        AddBasics(builder.Services);
        AddPipeline(AddClient(builder.Services), settings);
        using var host = builder.Build();

        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync().Soon());

        Assert.Contains("Clients:Prices:MaxElections is 'many'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BindSingleFlight_OfNull_Throws()
    {
        var builder = new ServiceCollection().AddOptions<HttpSingleFlightStrategyOptions>();

        Assert.Throws<ArgumentNullException>(() => builder.BindSingleFlight(null!));
        Assert.Throws<ArgumentNullException>(() => SingleFlightOptionsBuilderExtensions.BindSingleFlight(null!, new Settings().Prices));
    }

    private static void AddPipeline(IHttpClientBuilder client, Settings settings)
    {
        client.Services.AddOptions<HttpSingleFlightStrategyOptions>(Options).BindSingleFlight(settings.Prices);
        client.AddSingleFlightHandler("pipeline", static (pipeline, context) =>
        {
            context.EnableReloads<HttpSingleFlightStrategyOptions>(Options);
            pipeline.AddSingleFlight(context.GetOptions<HttpSingleFlightStrategyOptions>(Options));
        });
    }
}
