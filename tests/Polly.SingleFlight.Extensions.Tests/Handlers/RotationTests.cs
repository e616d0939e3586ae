namespace Polly.SingleFlight.Extensions.Tests.Handlers;

/// <summary>The factory replaces the handlers of a client every now and then, here after its shortest time.</summary>
public sealed class RotationTests : ClientTest
{
    [Fact]
    public async Task Flight_InTheAir_IsJoinedThroughTheNextHandlers()
    {
        HandlerRecorder recorder = null!;
        var provider = Provide(services =>
        {
            services.AddHttpClient(Prices).SetHandlerLifetime(TimeSpan.FromSeconds(1)).AddSingleFlight();
            recorder = HandlerRecorder.AddTo(services);
        });

        var callers = await Fly(Client(provider), 2);
        await Probe.Reached(Expired, 1);
        var late = await Join(Client(provider));
        Gate.Open();

        Assert.Single((await Task.WhenAll([.. callers, late])).Distinct());
        Assert.Equal(1, Server.Calls);
        Assert.Equal(2, recorder.Chains);
    }

    [Fact]
    public async Task Handlers_ThatAreMoved_AreSpokenOfOncePerClient()
    {
        HandlerRecorder recorder = null!;
        var provider = Provide(services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddStandard().SetHandlerLifetime(TimeSpan.FromSeconds(1)));
            services.AddHttpClient("a").AddSingleFlight();
            services.AddHttpClient("b").AddSingleFlight();
            services.AddHttpClient("plain");
            recorder = HandlerRecorder.AddTo(services);
        });

        using var a = Client(provider, "a");
        using var b = Client(provider, "b");
        using var plain = Client(provider, "plain");
        await Probe.Reached(Expired, 3);
        using var again = Client(provider, "a");

        Assert.Equal(4, recorder.Chains);
        Assert.Equal(["a", "b"], Of(LogLevel.Information).Select(static record => record.GetStructuredStateValue("Client")!).Order());
        Assert.All(Of(LogLevel.Information), static record =>
        {
            Assert.Contains("(ResilienceHandler)", record.Message, StringComparison.Ordinal);
            Assert.Contains(nameof(HttpSingleFlightStrategyOptions.KeepHandlerOrder), record.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Handlers_ThatAreMoved_AreAllNamedInTheirOrder()
    {
        var provider = Provide(static services =>
        {
            services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
            services.AddServiceDiscovery();
            services.AddHttpClient(Prices).AddRetries().AddServiceDiscovery().AddSingleFlight();
        });

        using var client = Client(provider);

        Assert.Contains("(ResilienceHandler, ResolvingHttpDelegatingHandler)", Assert.Single(Of(LogLevel.Information)).Message, StringComparison.Ordinal);
    }

    /// <summary>The order of the next handlers is what the options say then, or what they said last when they have become invalid.</summary>
    [Theory]
    [InlineData("true", "false", false)]
    [InlineData("false", "true", true)]
    [InlineData("true", "-", true)]
    [InlineData("false", "-", false)]
    public async Task KeepHandlerOrder_Changed_IsTheOrderOfTheNextHandlers(string before, string after, bool keepsOrder)
    {
        HandlerRecorder recorder = null!;
        var settings = new Settings(("KeepHandlerOrder", before));
        var provider = Provide(services =>
        {
            services.Configure<HttpSingleFlightStrategyOptions>(Prices, settings.Prices);
            services.AddHttpClient(Prices).AddStandard().SetHandlerLifetime(TimeSpan.FromSeconds(1)).AddSingleFlight();
            recorder = HandlerRecorder.AddTo(services);
        });
        using var first = Client(provider);
        string[] kept = ["ResilienceHandler", "SingleFlightHandler"];
        Assert.Equal(before == "true", recorder.Of(Prices).SequenceEqual(kept));

        _ = Record.Exception(() => settings.Replace(after == "-" ? ("MaxElections", "-1") : ("KeepHandlerOrder", after)));
        await Probe.Reached(Expired, 1);
        using var next = Client(provider);

        Assert.Equal(2, recorder.Chains);
        Assert.Equal(keepsOrder, recorder.Of(Prices).SequenceEqual(kept));
        Assert.Equal(after == "-" ? 1 : 0, Of(LogLevel.Error).Count());
    }

    /// <summary>The monitor of options drops what it has before it finds the new ones invalid.</summary>
    [Fact]
    public async Task Options_ThatBecameInvalid_LetTheNextHandlersGoOnWithTheLast()
    {
        var settings = new Settings(("MaxElections", "2"));
        var provider = Provide(services =>
        {
            services.Configure<HttpSingleFlightStrategyOptions>(Prices, settings.Prices);
            services.AddHttpClient(Prices).AddStandard().SetHandlerLifetime(TimeSpan.FromSeconds(1)).AddSingleFlight();
        });
        var callers = await Fly(Client(provider), 2);

        Assert.ThrowsAny<Exception>(() => settings.Replace(("MaxElections", "-1")));
        await Probe.Reached(Expired, 1);
        var late = await Join(Client(provider));
        Gate.Open();

        Assert.Single((await Task.WhenAll([.. callers, late])).Distinct());
        var error = Assert.Single(Of(LogLevel.Error));
        Assert.Contains("MaxElections", error.Message, StringComparison.Ordinal);
    }
}
