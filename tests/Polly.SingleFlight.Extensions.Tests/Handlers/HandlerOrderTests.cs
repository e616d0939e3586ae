namespace Polly.SingleFlight.Extensions.Tests.Handlers;

/// <summary>Where handlers stand in the chain that the factory makes.</summary>
public sealed class HandlerOrderTests : ClientTest
{
    private const string Ours = "SingleFlightHandler";
    private const string Theirs = "ResilienceHandler";
    private const string App = "AppHandler";

    [Fact]
    public void Resilience_OfTheDefaults_StandsInside() =>
        IsArranged(
            [App, Ours, Theirs, App],
            static defaults => defaults.AddStandard(),
            static client => AddApp(AddApp(client).AddSingleFlight()));

    [Fact]
    public void Resilience_AddedAfter_StaysWhereItIs() =>
        IsArranged([Ours, App, Theirs], static _ => { }, static client => AddApp(client.AddSingleFlight()).AddStandard());

    [Fact]
    public void Resilience_OnBothSides_KeepsItsOrder() =>
        IsArranged(
            [App, Ours, Theirs, Theirs, App, Theirs],
            static defaults => defaults.AddStandard(),
            static client => AddApp(AddApp(client).AddRetries("a").AddSingleFlight()).AddRetries("b"));

    [Fact]
    public void Hedging_OfTheDefaults_StandsInsideWithBothHandlers() =>
        IsArranged([Ours, Theirs, Theirs], static defaults => defaults.AddHedging(), static client => client.AddSingleFlight());

    [Fact]
    public void AddSingleFlight_InTheDefaultsAndForTheClient_IsOneHandlerAtTheLastPlace() =>
        IsArranged(
            [App, Ours, Theirs],
            static defaults => defaults.AddSingleFlight().AddStandard(),
            static client => AddApp(client).AddSingleFlight());

    [Fact]
    public void AddSingleFlight_Twice_IsOneHandlerAtTheLastPlace() =>
        IsArranged([App, Ours, App], static _ => { }, static client => AddApp(AddApp(client.AddSingleFlight()).AddSingleFlight(static _ => { })));

    [Fact]
    public void AddSingleFlight_InTheDefaults_StandsWhereTheDefaultsAre() =>
        IsArranged([Ours, App, Theirs], static defaults => defaults.AddSingleFlight(), static client => AddApp(client).AddStandard());

    [Fact]
    public void KeepHandlerOrder_IsTrue_MovesNothing() =>
        IsArranged(
            [Theirs, App, Ours],
            static defaults => defaults.AddStandard(),
            static client => AddApp(client).AddSingleFlight(static options => options.KeepHandlerOrder = true));

    [Fact]
    public void ServiceDiscovery_OutsideWithResilience_GoesInsideWithIt() =>
        IsArranged(
            [App, Ours, Theirs, "ResolvingHttpDelegatingHandler"],
            static defaults => defaults.AddStandard().AddServiceDiscovery(),
            static client => AddApp(client).AddSingleFlight());

    [Fact]
    public void ServiceDiscovery_OutsideAlone_GoesInside() =>
        IsArranged(
            [App, Ours, "ResolvingHttpDelegatingHandler"],
            static defaults => defaults.AddServiceDiscovery(),
            static client => AddApp(client).AddSingleFlight());

    [Fact]
    public void KeepHandlerOrder_IsTrue_LeavesServiceDiscoveryOutside() =>
        IsArranged(
            ["ResolvingHttpDelegatingHandler", Ours],
            static defaults => defaults.AddServiceDiscovery(),
            static client => client.AddSingleFlight(static options => options.KeepHandlerOrder = true));

    [Fact]
    public void Client_WithoutSingleFlight_IsLeftAlone()
    {
        HandlerRecorder recorder = null!;
        var provider = Provide(services =>
        {
            services.AddHttpClient(Prices).AddSingleFlight();
            AddApp(services.AddHttpClient("plain"));
            AddApp(AddApp(services.AddHttpClient("resilient")).AddStandard());
            recorder = HandlerRecorder.AddTo(services);
        });

        using var plain = Client(provider, "plain");
        using var resilient = Client(provider, "resilient");

        Assert.Equal([App], recorder.AllOf("plain"));
        Assert.Equal([App, Theirs, App], recorder.Of("resilient"));
        Assert.Empty(Records);
    }

    private void IsArranged(string[] expected, Action<IHttpClientBuilder> defaults, Action<IHttpClientBuilder> configure)
    {
        HandlerRecorder recorder = null!;
        var provider = Provide(services =>
        {
            services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
            services.AddServiceDiscovery();
            services.ConfigureHttpClientDefaults(defaults);
            configure(services.AddHttpClient(Prices));
            recorder = HandlerRecorder.AddTo(services);
        });

        using var client = Client(provider);

        Assert.Equal(expected, recorder.Of(Prices));
    }

    private static IHttpClientBuilder AddApp(IHttpClientBuilder client) => client.AddHttpMessageHandler(static () => new AppHandler(static _ => { }));
}
