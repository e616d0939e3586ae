using Microsoft.Extensions.Hosting;

namespace Polly.SingleFlight.Extensions.Tests.Configuration;

public sealed class InvalidConfigurationTests : ClientTest
{
    public static TheoryData<string, string?, string> Mistakes => new()
    {
        { "MaxJoinAgo", "00:00:05", "Clients:Prices:MaxJoinAgo is not an option of single flight. The options are Name, MaxJoinAge," },
        { "Nested:Key", "1", "Clients:Prices:Nested is not an option" },
        { "0", "1", "Clients:Prices:0 is not an option" },
        { "MaxJoinAge", "soon", "Clients:Prices:MaxJoinAge is 'soon'; expected is a time span such as 00:00:30, or infinite." },
        { "MaxJoinAge", "30", "Clients:Prices:MaxJoinAge is '30'; expected" },
        { "MaxJoinAge", "", "Clients:Prices:MaxJoinAge is ''; expected" },
        { "MaxJoinAge", null, "Clients:Prices:MaxJoinAge has no value; expected" },
        { "MaxJoinAge", "00:00:00", "Clients:Prices:MaxJoinAge: The field MaxJoinAge must be greater than zero" },
        { "MaxJoinAge:Seconds", "5", "Clients:Prices:MaxJoinAge has keys below it" },
        { "UnshareableDuration", "infinite", "Clients:Prices:UnshareableDuration is 'infinite'; expected" },
        { "UnshareableDuration", "-00:00:01", "Clients:Prices:UnshareableDuration: The field UnshareableDuration" },
        { "LeaderDeparture", "Leave", "Clients:Prices:LeaderDeparture is 'Leave'; expected is Detach or HandOver." },
        { "LeaderDeparture", "1", "Clients:Prices:LeaderDeparture is '1'" },
        { "UnsharedOutcome", "ElectNewLeader", "Clients:Prices:UnsharedOutcome: The field UnsharedOutcome must be ExecuteIndividually" },
        { "MaxElections", "-1", "Clients:Prices:MaxElections: The field MaxElections" },
        { "MaxElections", "many", "Clients:Prices:MaxElections is 'many'; expected is a whole number of at most 32 bits." },
        { "MaxRequestBodyBytes", "3000000000", "Clients:Prices:MaxRequestBodyBytes is '3000000000'" },
        { "MaxTotalBufferedBytes", "1.5", "Clients:Prices:MaxTotalBufferedBytes is '1.5'; expected is a whole number of at most 64 bits." },
        { "GuardCredentials", "yes", "Clients:Prices:GuardCredentials is 'yes'; expected is true or false." },
        { "Group", "prices", "Clients:Prices:Group cannot be set from configuration." },
        { "Group:KeyComparer", "x", "Clients:Prices:Group cannot be set from configuration." },
        { "KeyGenerator", "x", "Clients:Prices:KeyGenerator cannot be set" },
        { "Discriminator", "x", "Clients:Prices:Discriminator cannot be set" },
        { "ShouldShare", "x", "Clients:Prices:ShouldShare cannot be set" },
        { "ResultCloner", "x", "Clients:Prices:ResultCloner cannot be set" },
        { "OnFlightStarted", "x", "Clients:Prices:OnFlightStarted cannot be set" },
        { "OnFlightJoined", "x", "Clients:Prices:OnFlightJoined cannot be set" },
        { "OnFlightCompleted", "x", "Clients:Prices:OnFlightCompleted cannot be set" },
        { "OnFlightAbandoned", "x", "Clients:Prices:OnFlightAbandoned cannot be set" },
        { "OnFlightBypassed", "x", "Clients:Prices:OnFlightBypassed cannot be set" },
        { "Methods", "GET", "Clients:Prices:Methods is a single value; expected is a list, whose first item has the key Clients:Prices:Methods:0." },
        { "Methods:0", "GET, POST", "Clients:Prices:Methods:0 is not an HTTP method." },
        { "Methods:0", "", "Clients:Prices:Methods:0 is not an HTTP method." },
        { "Methods:0:Name", "GET", "Clients:Prices:Methods:0 is not an HTTP method." },
        { "Methods:First", "GET", "Clients:Prices:Methods:First is not an item of a list" },
        { "ExcludedHeaders:0", "X Trace", "Clients:Prices:ExcludedHeaders:0 is not the name of a header." },
        { "AdditionalExcludedHeaders", "X-Trace", "Clients:Prices:AdditionalExcludedHeaders is a single value" },
        { "AdditionalHarmlessHeaders:0", "X:Hop", "Clients:Prices:AdditionalHarmlessHeaders:0 is not the name of a header." },
        { "HarmlessHeaders:Name", "X-Hop", "Clients:Prices:HarmlessHeaders:Name is not an item of a list" },
        { "AdditionalMethods:0", "GET", "Clients:Prices:AdditionalMethods is not an option" },
        { "MaxBodyWait", "1", "Clients:Prices:MaxBodyWait is '1'; expected is a time span such as 00:00:01, or infinite." },
        { "MaxBodyWait", "-00:00:01", "Clients:Prices:MaxBodyWait: The field MaxBodyWait" },
        { "KeepHandlerOrder", "1", "Clients:Prices:KeepHandlerOrder is '1'; expected is true or false." },
        { "BypassHeaders:1", "X-Fresh:", "Clients:Prices:BypassHeaders:1 is not the name of a header." },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task Host_WithMistakeInSection_DoesNotStartAndNamesTheKey(string key, string? value, string expected)
    {
        var settings = new Settings((key, value));

        var exception = await StartFails(services => services.AddHttpClient(Prices).AddSingleFlight(settings.Prices));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Client_WithMistakeInSection_IsNotCreated(string key, string? value, string expected)
    {
        var provider = ProvideClient(client => client.AddSingleFlight(new Settings((key, value)).Prices));

        var exception = Assert.Throws<OptionsValidationException>(() => Client(provider));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Host_WithSeveralMistakes_NamesThemAllAtOnce()
    {
        var settings = new Settings(("MaxElections", "x"), ("Typo", "secret"), ("Methods:0", "se cret"), ("GuardCredentials", "false"));

        var exception = await StartFails(services => services.AddHttpClient(Prices).AddSingleFlight(settings.Prices));

        Assert.Equal(3, exception.Failures.Count());
        Assert.Equal(Prices, exception.OptionsName);
        Assert.DoesNotContain("secret", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("se cret", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Host_WithScalarInPlaceOfTheSection_DoesNotStart()
    {
        var root = new ConfigurationBuilder().AddInMemoryCollection([new("SingleFlight", "on")]).Build();

        var exception = await StartFails(services => services.AddHttpClient(Prices).AddSingleFlight(root.GetSection("SingleFlight")));

        Assert.Contains("SingleFlight is a single value", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Host_WithInvalidOptionsFromCode_DoesNotStartAndNamesTheOption()
    {
        var exception = await StartFails(services => services.AddHttpClient(Prices).AddSingleFlight(options =>
        {
            options.MaxElections = -1;
            options.ResultCloner = static args => new(args.Result);
        }));

        Assert.Contains(exception.Failures, static failure => failure.StartsWith("The field MaxElections", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Host_WithClonerFromCode_DoesNotStart()
    {
        var exception = await StartFails(services => services.AddHttpClient(Prices).AddSingleFlight(static options => options.ResultCloner = static args => new(args.Result)));

        Assert.Contains("ResultCloner", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Host_WithInvalidOptionsOfAnotherName_Starts()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddHttpClient(Prices).AddSingleFlight();
        builder.Services.Configure<HttpSingleFlightStrategyOptions>("unrelated", static options => options.MaxElections = -1);
        using var host = builder.Build();

        await host.StartAsync().Soon();
        await host.StopAsync().Soon();
    }

    private async Task<OptionsValidationException> StartFails(Action<IServiceCollection> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        AddBasics(builder.Services);
        configure(builder.Services);
        using var host = builder.Build();
        return await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync().Soon());
    }
}
