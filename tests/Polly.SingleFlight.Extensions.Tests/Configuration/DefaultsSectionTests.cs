namespace Polly.SingleFlight.Extensions.Tests.Configuration;

/// <summary>A section in the defaults of all clients is read when a client's options are made, and not watched.</summary>
public sealed class DefaultsSectionTests : ClientTest
{
    [Theory]
    [InlineData("5")]
    [InlineData("-1")]
    public async Task Section_OfTheDefaultsChanged_LeavesTheOptionsOfClientsThatAreThere(string value)
    {
        var settings = new Settings(("MaxElections", "2"));
        var provider = Provide(settings);
        using var client = Client(provider, "a");
        var options = OptionsOf(provider, "a");
        Gate.Open();

        settings.Replace(("MaxElections", value), ("Methods:0", "HEAD"));
        await Get(client);

        Assert.Same(options, OptionsOf(provider, "a"));
        Assert.Equal((1, 0), (Probe[Started], Probe[Bypassed]));
        Assert.Empty(Records);
    }

    [Fact]
    public void Section_OfTheDefaultsChanged_HoldsForClientsThatAreNewSince()
    {
        var settings = new Settings(("MaxElections", "2"));
        var provider = Provide(settings);
        using var old = Client(provider, "a");

        settings.Replace(("MaxElections", "5"));
        using var recent = Client(provider, "b");

        Assert.Equal((2, 5), (OptionsOf(provider, "a").MaxElections, OptionsOf(provider, "b").MaxElections));
        settings.Replace(("MaxElections", "x"));
        Assert.Throws<OptionsValidationException>(() => Client(provider, "c"));
    }

    [Fact]
    public void Section_OfTheDefaultsChanged_HoldsWhenTheSectionOfTheClientChanges()
    {
        var (defaults, own) = (new Settings(("MaxElections", "2")), new Settings());
        var provider = Provide(defaults, services => services.AddHttpClient("a").AddSingleFlight(own.Prices));
        using var client = Client(provider, "a");

        defaults.Replace(("MaxElections", "5"));
        Assert.Equal(2, OptionsOf(provider, "a").MaxElections);
        own.Replace(("DetectReentrancy", "false"));

        Assert.Equal((5, false), (OptionsOf(provider, "a").MaxElections, OptionsOf(provider, "a").DetectReentrancy));
    }

    private ServiceProvider Provide(Settings settings, Action<IServiceCollection>? configure = null) => base.Provide(services =>
    {
        services.ConfigureHttpClientDefaults(client => client.AddSingleFlight(settings.Prices));
        configure?.Invoke(services);
    });
}
