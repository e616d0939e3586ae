using Polly.Timeout;

namespace Polly.SingleFlight.Extensions.Tests.Handlers;

/// <summary>A resilience handler in the defaults has one pipeline for all clients, which cannot be shared by their requests.</summary>
public sealed class DefaultsPipelineTests : ClientTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AddSingleFlight_InAPipelineOfAllClients_IsRefusedAndSaysWhatToWrite(bool isGeneric)
    {
        var provider = Provide(services =>
        {
            services.ConfigureHttpClientDefaults(client => client.AddResilienceHandler("x", pipeline => Add(pipeline, isGeneric)));
            services.AddHttpClient(Prices);
        });

        var exception = Assert.Throws<InvalidOperationException>(() => Client(provider));

        Assert.Contains("ConfigureHttpClientDefaults(client => client.AddSingleFlight())", exception.Message, StringComparison.Ordinal);
        Assert.Contains("add the resilience handler to each client", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Advice_AddSingleFlightInTheDefaults_Works()
    {
        var provider = Provide(static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddSingleFlight());
            services.AddHttpClient("a");
            services.AddHttpClient("b");
        });

        await AreApart(provider);
    }

    [Fact]
    public async Task Advice_AddTheResilienceHandlerToEachClient_Works()
    {
        var provider = Provide(services =>
        {
            foreach (var name in (string[])["a", "b"])
            {
                services.AddHttpClient(name).AddResilienceHandler("x", (pipeline, context) => pipeline.AddSingleFlight(Options(context)));
            }
        });

        await AreApart(provider);
    }

    /// <summary>Other strategies may be in such a pipeline, and single flight goes around it.</summary>
    [Fact]
    public async Task AddSingleFlight_BesideAPipelineOfAllClients_Works()
    {
        var provider = Provide(static services =>
        {
            services.ConfigureHttpClientDefaults(static client =>
            {
                client.AddResilienceHandler("x", static pipeline => pipeline.AddTimeout(new TimeoutStrategyOptions()));
                client.AddSingleFlight();
            });
            services.AddHttpClient("a");
            services.AddHttpClient("b");
        });

        await AreApart(provider);
    }

    private async Task AreApart(IServiceProvider provider)
    {
        var a = await Fly(Client(provider, "a"), 2);
        var b = await Fly(Client(provider, "b"), 2);
        Gate.Open();

        Assert.Single((await Task.WhenAll(a)).Distinct());
        Assert.Single((await Task.WhenAll(b)).Distinct());
        Assert.Equal(2, Server.Calls);
    }

    private static void Add(ResiliencePipelineBuilder<HttpResponseMessage> pipeline, bool isGeneric)
    {
        if (isGeneric)
        {
            AddTo(pipeline);
        }
        else
        {
            pipeline.AddSingleFlight();
        }
    }

    private static void AddTo<TBuilder>(TBuilder pipeline)
        where TBuilder : ResiliencePipelineBuilderBase
        => pipeline.AddSingleFlight();
}
