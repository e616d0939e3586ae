namespace Polly.SingleFlight.Extensions.Tests.Configuration;

public sealed class MissingSectionTests : ClientTest
{
    [Fact]
    public void Section_ThatDoesNotExist_IsOneInformationWithItsPath()
    {
        var provider = ProvideClient(client => client.AddSingleFlight(new ConfigurationBuilder().Build().GetSection("Clients:Misspelled")));

        Assert.Equal([HttpMethod.Get, HttpMethod.Head], OptionsOf(provider).Methods);
        using var first = Client(provider);
        using var second = Client(provider);

        var record = Assert.Single(Records);
        Assert.Equal(LogLevel.Information, record.Level);
        Assert.Contains("'Clients:Misspelled'", record.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Section_OfAllClientsThatDoesNotExist_IsOneInformation()
    {
        var provider = Provide(static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddSingleFlight(new ConfigurationBuilder().Build().GetSection("nowhere")));
            services.AddHttpClient("a");
            services.AddHttpClient("b");
        });

        using var a = Client(provider, "a");
        using var b = Client(provider, "b");

        Assert.Contains("'nowhere'", Assert.Single(Records).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BindSingleFlight_SectionThatDoesNotExist_IsOneInformation()
    {
        var provider = Provide(static services => services.AddOptions<HttpSingleFlightStrategyOptions>("own")
            .BindSingleFlight(new ConfigurationBuilder().Build().GetSection("nowhere")));

        Assert.Equal(1, OptionsOf(provider, "own").MaxElections);

        Assert.Equal(LogLevel.Information, Assert.Single(Records).Level);
    }

    [Fact]
    public void Section_ThatExists_IsNotSpokenOf()
    {
        var provider = ProvideClient(static client => client.AddSingleFlight(new Settings(("MaxElections", "2")).Prices));

        using var client = Client(provider);

        Assert.Empty(Records);
    }
}
