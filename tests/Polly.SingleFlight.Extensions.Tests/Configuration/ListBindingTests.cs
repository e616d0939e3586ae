namespace Polly.SingleFlight.Extensions.Tests.Configuration;

/// <summary>Lists in a section: what replaces the default, and what adds to it.</summary>
public sealed class ListBindingTests : ClientTest
{
    [Fact]
    public void Section_WithLists_ReplacesTheDefaults()
    {
        var options = Bind(
            ("Methods:0", "get"), ("Methods:1", "PURGE"), ("ExcludedHeaders:0", "X-Trace"), ("HarmlessHeaders:0", "X-Hop"), ("BypassHeaders:3", "X-Fresh"));

        Assert.Equal(["GET", "PURGE"], options.Methods.Select(static method => method.Method));
        Assert.Equal([HttpMethod.Get, new HttpMethod("PURGE")], options.Methods);
        Assert.Equal(["X-Trace"], options.ExcludedHeaders);
        Assert.Equal(["X-Hop"], options.HarmlessHeaders);
        Assert.Equal(["X-Fresh"], options.BypassHeaders);
        Assert.Contains("x-trace", options.ExcludedHeaders);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    public void Section_WithEmptyLists_EmptiesTheSets(string? value)
    {
        var options = Bind(("Methods", value), ("ExcludedHeaders", value), ("HarmlessHeaders", value), ("BypassHeaders", value));

        Assert.Empty(options.Methods);
        Assert.Empty(options.ExcludedHeaders);
        Assert.Empty(options.HarmlessHeaders);
        Assert.Empty(options.BypassHeaders);
    }

    [Fact]
    public void Section_WithAdditionalLists_KeepsTheDefaults()
    {
        var defaults = new HttpSingleFlightStrategyOptions();

        var options = Bind(
            ("AdditionalExcludedHeaders:0", "X-Trace"), ("additionalharmlessheaders:0", "X-Hop"), ("AdditionalHarmlessHeaders:1", "X-Jump"));

        Assert.Equal([.. defaults.ExcludedHeaders, "X-Trace"], options.ExcludedHeaders);
        Assert.Equal([.. defaults.HarmlessHeaders, "X-Hop", "X-Jump"], options.HarmlessHeaders);
    }

    [Fact]
    public void Section_WithEmptyAdditionalLists_KeepsTheDefaults()
    {
        var defaults = new HttpSingleFlightStrategyOptions();

        var options = Bind(("AdditionalExcludedHeaders", ""), ("AdditionalHarmlessHeaders", ""));

        Assert.Equal(defaults.ExcludedHeaders, options.ExcludedHeaders);
        Assert.Equal(defaults.HarmlessHeaders, options.HarmlessHeaders);
    }

    /// <summary>Keys come sorted, by which what adds would come before what replaces.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Section_WithBothKindsOfList_ReplacesFirstAndThenAdds(bool addsFirst)
    {
        (string, string?)[] additions = [("AdditionalExcludedHeaders:0", "X-Trace"), ("AdditionalHarmlessHeaders:0", "X-Hop")];
        (string, string?)[] replacements = [("ExcludedHeaders:0", "X-Own"), ("HarmlessHeaders:0", "X-Jump")];

        var options = Bind(addsFirst ? [.. additions, .. replacements] : [.. replacements, .. additions]);

        Assert.Equal(["X-Own", "X-Trace"], options.ExcludedHeaders);
        Assert.Equal(["X-Jump", "X-Hop"], options.HarmlessHeaders);
    }

    [Fact]
    public void Section_FromJson_BindsListsAndEmptyLists()
    {
        using var json = new MemoryStream(
            """{ "Clients": { "Prices": { "Methods": ["GET", "POST"], "BypassHeaders": [], "MaxJoinAge": "00:00:01", "MaxElections": 3, "GuardCredentials": false } } }"""u8.ToArray());
        var root = new ConfigurationBuilder().AddJsonStream(json).Build();
        var provider = ProvideClient(client => client.AddSingleFlight(root.GetSection(Settings.Section)));

        var options = OptionsOf(provider);
        Assert.Equal([HttpMethod.Get, HttpMethod.Post], options.Methods);
        Assert.Empty(options.BypassHeaders);
        Assert.Equal(8, options.ExcludedHeaders.Count);
        Assert.Equal((TimeSpan.FromSeconds(1), 3, false), (options.MaxJoinAge, options.MaxElections, options.GuardCredentials));
    }

    private HttpSingleFlightStrategyOptions Bind(params (string, string?)[] content) =>
        OptionsOf(ProvideClient(client => client.AddSingleFlight(new Settings(content).Prices)));
}
