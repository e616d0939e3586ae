namespace Polly.SingleFlight.Extensions.Tests.Configuration;

/// <summary>Options that change by <c>services.Configure(section)</c>, which knows nothing of single flight.</summary>
public sealed class ConfiguredOptionsReloadTests : ClientTest
{
    [Fact]
    public async Task Options_ChangedByPlainConfigure_TakeEffectForTheNextRequest()
    {
        var settings = new Settings(("MaxElections", "2"));
        using var client = Client(Provide(settings, out var provider));
        var old = await Fly(client);

        settings.Replace(("MaxElections", "5"));
        var late = await Join(client);
        Gate.Open();

        Assert.Equal(await old[0], await late);
        Assert.Equal(5, OptionsOf(provider).MaxElections);
        Assert.Empty(Of(LogLevel.Error));
    }

    [Fact]
    public async Task Options_ChangedToInvalidByPlainConfigure_ChangeNothingAndAValidChangeStillFollows()
    {
        var settings = new Settings(("MaxElections", "2"));
        using var client = Client(Provide(settings, out var provider));
        Gate.Open();
        await Get(client);

        // The options' own monitor throws what is wrong at whoever reloads the configuration.
        Assert.ThrowsAny<Exception>(() => settings.Replace(("MaxElections", "-1")));
        await Get(client);
        await Get(Client(provider));
        Assert.Equal(3, Probe[Started]);
        Assert.Empty(Of(LogLevel.Error));

        settings.Replace(("MaxElections", "6"));
        await Get(client);
        Assert.Equal(4, Probe[Started]);
        Assert.Equal(6, OptionsOf(provider).MaxElections);
    }

    private ServiceProvider Provide(Settings settings, out ServiceProvider provider)
    {
        provider = base.Provide(services =>
        {
            services.Configure<HttpSingleFlightStrategyOptions>(Prices, settings.Prices);
            services.AddHttpClient(Prices).AddSingleFlight();
        });
        return provider;
    }
}
