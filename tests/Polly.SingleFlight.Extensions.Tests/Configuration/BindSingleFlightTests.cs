using Microsoft.Extensions.Hosting;

namespace Polly.SingleFlight.Extensions.Tests.Configuration;

/// <summary>Options from configuration in a pipeline of <c>AddResilienceHandler</c>.</summary>
public sealed class BindSingleFlightTests : ClientTest
{
    private const string Name = "options of prices";

    [Fact]
    public async Task BindSingleFlight_OptionsOfAHandler_AreThoseOfTheSectionAndChangeWithIt()
    {
        var settings = new Settings(("MaxElections", "7"), ("Methods:0", "PUT"));
        var provider = ProvideClient(client => AddPipeline(client, settings));
        using var http = Client(provider);

        Assert.Equal(7, OptionsOf(provider, Name).MaxElections);
        Assert.Equal([HttpMethod.Put], OptionsOf(provider, Name).Methods);
        Gate.Open();
        await Get(http);
        Assert.Equal(0, Probe[Started]);

        settings.Replace(("Methods:0", "GET"));
        await Get(http);
        Assert.Equal(1, Probe[Started]);
    }

    [Fact]
    public async Task BindSingleFlight_SectionChangedToInvalid_LogsAnErrorAndChangesNothing()
    {
        var settings = new Settings(("MaxElections", "7"));
        var provider = ProvideClient(client => AddPipeline(client, settings));
        using var http = Client(provider);
        var callers = await Fly(http);

        settings.Replace(("MaxElections", "many"));
        var late = await Join(http);
        settings.Replace(("MaxElections", "8"));
        Gate.Open();

        Assert.Equal(await callers[0], await late);
        Assert.Contains("Clients:Prices:MaxElections", Assert.Single(Of(LogLevel.Error)).Message, StringComparison.Ordinal);
        Assert.Equal(8, OptionsOf(provider, Name).MaxElections);
    }

    [Theory]
    [InlineData("MaxElections", "many", "Clients:Prices:MaxElections is 'many'")]
    [InlineData("MaxElections", "-1", "Clients:Prices:MaxElections: The field MaxElections")]
    [InlineData("Typo", "x", "Clients:Prices:Typo is not an option")]
    [InlineData("Group", "x", "Clients:Prices:Group cannot be set")]
    public async Task BindSingleFlight_MistakeInTheSection_HostDoesNotStartAndNamesTheKey(string key, string value, string expected)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        AddBasics(builder.Services);
        AddPipeline(builder.Services.AddHttpClient(Prices), new Settings((key, value)));
        using var host = builder.Build();

        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync().Soon());

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
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
        client.Services.AddOptions<HttpSingleFlightStrategyOptions>(Name).BindSingleFlight(settings.Prices);
        client.AddResilienceHandler("pipeline", static (pipeline, context) =>
        {
            context.EnableReloads<HttpSingleFlightStrategyOptions>(Name);
            var options = context.GetOptions<HttpSingleFlightStrategyOptions>(Name);
            options.Group = context.GetSingleFlightGroup();
            pipeline.AddSingleFlight(options);
        });
    }
}
