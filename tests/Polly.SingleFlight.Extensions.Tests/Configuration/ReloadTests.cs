namespace Polly.SingleFlight.Extensions.Tests.Configuration;

public sealed class ReloadTests : ClientTest
{
    [Fact]
    public async Task Section_Changed_NextRequestFollowsItAndFlightsGoOn()
    {
        var settings = new Settings();
        var provider = ProvideClient(client => client.AddSingleFlight(settings.Prices));
        using var client = Client(provider);
        var old = await Fly(client, client);

        settings.Replace(("Methods:0", "HEAD"));
        var alone = Get(client);
        await Probe.Reached(Bypassed, 1);
        await Server.Probe.Reached(TestServer.Called, 2);
        Gate.Open();

        Assert.Single((await Task.WhenAll(old)).Distinct());
        Assert.DoesNotContain(await alone, await Task.WhenAll(old));
        Assert.Equal([HttpMethod.Head], OptionsOf(provider).Methods);
    }

    [Fact]
    public async Task Section_Changed_FlightInTheAirIsJoinedThroughTheNewPipeline()
    {
        var settings = new Settings();
        var provider = ProvideClient(client => client.AddSingleFlight(settings.Prices));
        using var client = Client(provider);
        var (options, group) = (OptionsOf(provider), OptionsOf(provider).Group);
        var old = await Fly(client);

        settings.Replace(("MaxElections", "7"));
        var late = await Join(client);
        var other = await Join(Client(provider));
        Gate.Open();

        Assert.Single((await Task.WhenAll([.. old, late, other])).Distinct());
        Assert.Equal(1, Server.Calls);
        Assert.NotSame(options, OptionsOf(provider));
        Assert.Equal(7, OptionsOf(provider).MaxElections);
        Assert.Same(group, OptionsOf(provider).Group);
        Assert.Empty(Of(LogLevel.Error));
    }

    [Theory]
    [InlineData("MaxElections", "-1", "Clients:Prices:MaxElections")]
    [InlineData("MaxJoinAge", "soon", "Clients:Prices:MaxJoinAge")]
    [InlineData("Authorization", "Bearer secret", "Clients:Prices:Authorization")]
    [InlineData("Methods:0", "secret method", "Clients:Prices:Methods:0")]
    [InlineData("Group", "secret", "Clients:Prices:Group")]
    public async Task Section_ChangedToInvalid_KeepsTheLastAndLogsTheKeyOnce(string key, string value, string path)
    {
        var settings = new Settings(("MaxElections", "2"));
        var provider = ProvideClient(client => client.AddSingleFlight(settings.Prices));
        using var client = Client(provider);
        var old = await Fly(client);

        settings.Replace((key, value), ("Methods:1", "HEAD"));
        var late = await Join(client);

        Assert.Equal(2, OptionsOf(provider).MaxElections);
        var error = Assert.Single(Of(LogLevel.Error));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);

        settings.Replace(("MaxElections", "3"));
        Assert.Equal(3, OptionsOf(provider).MaxElections);
        var latest = await Join(client);
        Gate.Open();
        Assert.Single((await Task.WhenAll([.. old, late, latest])).Distinct());
        Assert.Single(Of(LogLevel.Error));
    }

    [Fact]
    public async Task Section_ChangedToInvalidAndThenToValid_TakesEffect()
    {
        var settings = new Settings();
        var provider = ProvideClient(client => client.AddSingleFlight(settings.Prices));
        using var client = Client(provider);
        Gate.Open();
        await Get(client);

        settings.Replace(("MaxElections", "x"));
        await Get(client);
        Assert.Equal((2, 0), (Probe[Started], Probe[Bypassed]));

        settings.Replace(("Methods:0", "HEAD"));
        await Get(client);
        Assert.Equal((2, 1), (Probe[Started], Probe[Bypassed]));

        settings.Replace(("MaxElections", "y"));
        settings.Replace(("Methods:0", "GET"));
        await Get(client);
        Assert.Equal((3, 1), (Probe[Started], Probe[Bypassed]));
        Assert.Equal(2, Of(LogLevel.Error).Count());
    }

    [Fact]
    public async Task Section_ChangedToInvalidAfterHostStart_DoesNotThrowIntoTheReload()
    {
        var settings = new Settings(("MaxElections", "2"));
        var provider = ProvideClient(client => client.AddSingleFlight(settings.Prices));
        provider.GetRequiredService<IStartupValidator>().Validate();

        settings.Replace(("MaxElections", "x"));

        var callers = await Fly(Client(provider), 2);
        Gate.Open();
        await Task.WhenAll(callers);
        Assert.Equal(2, OptionsOf(provider).MaxElections);
        Assert.Single(Of(LogLevel.Error));
    }

    [Fact]
    public void Configuration_ChangedElsewhere_LeavesTheOptions()
    {
        var settings = new Settings(("MaxElections", "2"));
        var provider = ProvideClient(client => client.AddSingleFlight(settings.Prices));
        using var client = Client(provider);
        var options = OptionsOf(provider);

        settings.Touch();
        settings.Replace(("MaxElections", "x"));
        settings.Replace(("MaxElections", "2"));

        Assert.Same(options, OptionsOf(provider));
    }

    [Fact]
    public void Section_OfOneClientChanged_LeavesTheOtherAlone()
    {
        var (a, b) = (new Settings(("MaxElections", "2")), new Settings(("MaxElections", "3")));
        var provider = Provide(services =>
        {
            services.AddHttpClient("a").AddSingleFlight(a.Prices);
            services.AddHttpClient("b").AddSingleFlight(b.Prices);
        });
        using var clientA = Client(provider, "a");
        using var clientB = Client(provider, "b");
        var optionsOfB = OptionsOf(provider, "b");

        a.Replace(("MaxElections", "4"));

        Assert.Equal(4, OptionsOf(provider, "a").MaxElections);
        Assert.Same(optionsOfB, OptionsOf(provider, "b"));
    }
}
