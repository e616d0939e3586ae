namespace Polly.SingleFlight.Extensions.Tests.Pipelines;

/// <summary>Service providers and scopes.</summary>
public sealed class ProviderTests : ClientTest
{
    [Fact]
    public async Task Providers_OfTheSameServices_NeverShare()
    {
        var services = new ServiceCollection();
        AddBasics(services);
        services.AddHttpClient(Prices).AddSingleFlight();
        await using var first = services.BuildServiceProvider();
        await using var second = services.BuildServiceProvider();

        var a = await Fly(Client(first), 2);
        var b = await Fly(Client(second), 2);
        Gate.Open();

        Assert.Single((await Task.WhenAll(a)).Distinct());
        Assert.Single((await Task.WhenAll(b)).Distinct());
        Assert.Equal(2, Server.Calls);
        Assert.NotSame(OptionsOf(first).Group, OptionsOf(second).Group);
    }

    [Fact]
    public async Task Scopes_OfAProvider_Share()
    {
        var provider = ProvideClient(static client => client.AddSingleFlight());
        await using var first = provider.CreateAsyncScope();
        await using var second = provider.CreateAsyncScope();

        var callers = await Fly(Client(first.ServiceProvider), Client(second.ServiceProvider));
        Gate.Open();

        Assert.Single((await Task.WhenAll(callers)).Distinct());
        Assert.Equal(1, Server.Calls);
    }

    [Fact]
    public async Task Scope_ThatEndsWithItsClient_LetsCallersFinish()
    {
        var provider = ProvideClient(static client => client.AddSingleFlight());
        var scope = provider.CreateAsyncScope();
        var callers = await Fly(Client(scope.ServiceProvider), 2);

        await scope.DisposeAsync();
        var late = await Join(Client(provider));
        Gate.Open();

        Assert.Single((await Task.WhenAll([.. callers, late])).Distinct());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Provider_DisposedWithAFlightInTheAir_LetsCallersFinish(bool hasSection)
    {
        var settings = new Settings();
        var services = new ServiceCollection();
        AddBasics(services);
        var builder = services.AddHttpClient(Prices).AddStandard();
        _ = hasSection ? builder.AddSingleFlight(settings.Prices) : builder.AddSingleFlight();
        var provider = services.BuildServiceProvider();
        var callers = await Fly(Client(provider), 3);

        var disposal = provider.DisposeAsync().AsTask();
        settings.Replace(("Methods:0", "HEAD"));
        Gate.Open();

        Assert.Single((await Task.WhenAll(callers)).Distinct());
        Assert.Equal(1, Server.Calls);
        await disposal.EndBy(Clock);
        Assert.Empty(Of(LogLevel.Error));
    }

    [Fact]
    public async Task Client_WithoutLoggingOrOtherServices_Works()
    {
        var services = new ServiceCollection();
        services.AddHttpClient(Prices).ConfigurePrimaryHttpMessageHandler(static () => HttpTest.Sockets()).AddSingleFlight();
        await using var provider = services.BuildServiceProvider();
        Gate.Open();

        Assert.Equal("1 ", await Get(Client(provider)));
    }

    [Fact]
    public async Task Send_SynchronousAndNot_ShareOneFlight()
    {
        using var client = Client(ProvideClient(static client => client.AddStandard().AddSingleFlight()));

        var first = (await Fly(client, 1))[0];
        var second = Task.Factory.StartNew(
            () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, Server.At("/resource"));
                using var response = client.Send(request);
                using var reader = new StreamReader(response.Content.ReadAsStream());
                return reader.ReadToEnd();
            },
            TaskCreationOptions.LongRunning).Soon();
        await Probe.Reached(Joined, 1);
        Gate.Open();

        Assert.Equal(await first, await second);
        Assert.Equal(1, Server.Calls);
    }
}
