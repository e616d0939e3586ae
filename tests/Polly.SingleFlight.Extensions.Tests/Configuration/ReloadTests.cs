namespace Polly.SingleFlight.Extensions.Tests.Configuration;

public sealed class ReloadTests : ClientTest
{
    [Fact]
    public async Task Section_Changed_NewRequestsFollowItAndFlightsGoOn()
    {
        var settings = new Settings();
        var provider = ProvideClient(client => client.AddSingleFlight(settings.Prices));
        using var client = Client(provider);
        var old = await Fly(client, client);

        settings.Replace(("Methods:0", "HEAD"));
        var alone = client.GetStringAsync(Address).Soon();
        await Probe.Reached(Bypassed, 1);
        await Upstream.Received(2);
        Gate.Open();

        Assert.Single((await Task.WhenAll(old)).Distinct());
        Assert.DoesNotContain(await alone, await Task.WhenAll(old));
        Assert.Equal([HttpMethod.Head], OptionsOf(provider).Methods);
    }

    [Fact]
    public async Task Section_Changed_FlightsInTheAirAreStillJoined()
    {
        var settings = new Settings();
        var provider = ProvideClient(client => client.AddSingleFlight(settings.Prices));
        using var client = Client(provider);
        var group = OptionsOf(provider).Group;
        var old = await Fly(client);

        settings.Replace(("MaxElections", "7"));
        var late = await Join(client);
        Gate.Open();

        Assert.Equal(await old[0], await late);
        Assert.Equal(1, Upstream.Calls);
        Assert.Equal(7, OptionsOf(provider).MaxElections);
        Assert.Same(group, OptionsOf(provider).Group);
        Assert.Contains(Logs.Of(LogLevel.Information), static record => record.Text.Contains("built again", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("MaxElections", "-1", "Clients:Prices:MaxElections")]
    [InlineData("MaxJoinAge", "soon", "Clients:Prices:MaxJoinAge")]
    [InlineData("Authorization", "Bearer secret", "Clients:Prices:Authorization")]
    [InlineData("Methods:0", "secret method", "Clients:Prices:Methods:0")]
    [InlineData("Group", "secret", "Clients:Prices:Group")]
    public async Task Section_ChangedToInvalid_KeepsTheLastAndLogsTheKey(string key, string value, string path)
    {
        var settings = new Settings(("MaxElections", "2"));
        var provider = ProvideClient(client => client.AddSingleFlight(settings.Prices));
        using var client = Client(provider);
        var old = await Fly(client);

        settings.Replace((key, value), ("Methods:1", "HEAD"));
        var late = await Join(client);

        Assert.Equal(2, OptionsOf(provider).MaxElections);
        var error = Assert.Single(Logs.Of(LogLevel.Error));
        Assert.Contains(path, error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Text, StringComparison.Ordinal);

        settings.Replace(("MaxElections", "3"));
        Assert.Equal(3, OptionsOf(provider).MaxElections);
        var latest = await Join(client);
        Gate.Open();
        Assert.Single((await Task.WhenAll([.. old, late, latest])).Distinct());
        Assert.Single(Logs.Of(LogLevel.Error));
    }

    [Fact]
    public async Task Section_ChangedToInvalidAfterHostStart_DoesNotThrowIntoTheReload()
    {
        var settings = new Settings(("MaxElections", "2"));
        var provider = ProvideClient(client => client.AddSingleFlight(settings.Prices));
        provider.GetRequiredService<IStartupValidator>().Validate();

        settings.Replace(("MaxElections", "x"));

        using var client = Client(provider);
        var callers = await Fly(client, client);
        Gate.Open();
        await Task.WhenAll(callers);
        Assert.Equal(2, OptionsOf(provider).MaxElections);
        Assert.Single(Logs.Of(LogLevel.Error));
    }

    [Fact]
    public void Configuration_ChangedElsewhere_DoesNotBuildAgain()
    {
        var settings = new Settings(("MaxElections", "2"));
        var provider = ProvideClient(client => client.AddSingleFlight(settings.Prices));
        using var client = Client(provider);
        var options = OptionsOf(provider);

        settings.Touch();
        settings.Replace(("MaxElections", "x"));
        settings.Replace(("MaxElections", "2"));

        Assert.Same(options, OptionsOf(provider));
        Assert.Empty(Logs.Of(LogLevel.Information));
    }

    [Fact]
    public void Section_OfOneClientChanged_LeavesTheOtherAlone()
    {
        var (a, b) = (new Settings(("MaxElections", "2")), new Settings(("MaxElections", "3")));
        var provider = Provide(services =>
        {
            AddClient(services, "a").AddSingleFlight(a.Prices);
            AddClient(services, "b").AddSingleFlight(b.Prices);
        });
        using var clientA = Client(provider, "a");
        using var clientB = Client(provider, "b");
        var optionsOfB = OptionsOf(provider, "b");

        a.Replace(("MaxElections", "4"));

        Assert.Equal(4, OptionsOf(provider, "a").MaxElections);
        Assert.Same(optionsOfB, OptionsOf(provider, "b"));
        Assert.Contains("'a'", Assert.Single(Logs.Of(LogLevel.Information)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Provider_Disposed_EndsReloadsAndLetsFlightsFinish()
    {
        var settings = new Settings();
        var provider = ProvideClient(client => client.AddSingleFlight(settings.Prices));
        var client = Client(provider);
        var callers = await Fly(client, client);

        await provider.DisposeAsync();
        settings.Replace(("Methods:0", "HEAD"));
        var late = await Join(client);
        Gate.Open();

        Assert.Single((await Task.WhenAll([.. callers, late])).Distinct());
        Assert.Equal(1, Upstream.Calls);
        Assert.Empty(Logs.Of(LogLevel.Error));
        Assert.Empty(Logs.Of(LogLevel.Information));
    }
}
