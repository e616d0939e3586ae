using System.Threading.RateLimiting;
using Polly.RateLimiting;
#if POLLY_TESTING
using Polly.Testing;
#endif

namespace Polly.SingleFlight.Extensions.Tests.Pipelines;

public sealed class RegistrationTests : ClientTest
{
    [Fact]
    public void Methods_WithNull_Throw()
    {
        var builder = new ServiceCollection().AddHttpClient(Prices);
        IHttpClientBuilder none = null!;

        Assert.Throws<ArgumentNullException>("builder", () => none.AddSingleFlight());
        Assert.Throws<ArgumentNullException>("builder", () => none.AddSingleFlight(static _ => { }));
        Assert.Throws<ArgumentNullException>("builder", () => none.AddSingleFlight(new Settings().Root));
        Assert.Throws<ArgumentNullException>("configure", () => builder.AddSingleFlight((Action<HttpSingleFlightStrategyOptions>)null!));
        Assert.Throws<ArgumentNullException>("section", () => builder.AddSingleFlight((IConfiguration)null!));
    }

    [Fact]
    public void Methods_OfClient_ReturnItsBuilder()
    {
        var builder = new ServiceCollection().AddHttpClient(Prices);

        Assert.Same(builder, builder.AddSingleFlight());
        Assert.Same(builder, builder.AddSingleFlight(static _ => { }));
        Assert.Same(builder, builder.AddSingleFlight(new Settings().Prices));
    }

    [Fact]
    public async Task AddSingleFlight_Twice_ConfiguresTheSameOptions()
    {
        var provider = ProvideClient(static client => client
            .AddSingleFlight(static options => options.MaxElections = 3).AddSingleFlight(static options => options.DetectReentrancy = false));
        Gate.Open();

        await Get(Client(provider));

        Assert.Equal((1, 0), (Probe[Started], Probe[Bypassed]));
        Assert.Equal((3, false), (OptionsOf(provider).MaxElections, OptionsOf(provider).DetectReentrancy));
    }

    /// <summary>A rate limiter inside counts calls; one outside counts callers.</summary>
    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 3)]
    public async Task RateLimiter_OfOnePermit_RefusesCallersOnlyWhenItIsOutside(bool keepsOrder, int refused)
    {
        var provider = ProvideClient(client =>
        {
            client.AddResilienceHandler("limited", static pipeline => pipeline.AddRateLimiter(new RateLimiterStrategyOptions
            {
                DefaultRateLimiterOptions = new ConcurrencyLimiterOptions { PermitLimit = 1, QueueLimit = 0 },
            }));
            client.AddSingleFlight(options => options.KeepHandlerOrder = keepsOrder);
        });
        using var client = Client(provider);
        var callers = new List<Task<string>> { Get(client) };
        await Probe.Reached(Started, 1);
        for (var i = 1; i < 4; i++)
        {
            callers.Add(Get(client));
            if (!keepsOrder)
            {
                await Probe.Reached(Joined, i);
            }
        }

        Gate.Open();

        var failures = 0;
        foreach (var caller in callers)
        {
            failures += await Record.ExceptionAsync(() => caller) is RateLimiterRejectedException ? 1 : 0;
        }

        Assert.Equal(refused, failures);
        Assert.Equal(1, Server.Calls);
    }

#if POLLY_TESTING
    [Fact]
    public void Pipeline_OfAClient_IsSingleFlightAloneWithTheClientsOptions()
    {
        var provider = ProvideClient(static client => client.AddStandard().AddSingleFlight(static options => options.MaxElections = 5));

        var descriptor = SingleFlightPipeline.Get(provider, Prices).GetPipelineDescriptor();

        var options = Assert.IsType<HttpSingleFlightStrategyOptions>(Assert.Single(descriptor.Strategies).Options);
        Assert.Same(OptionsOf(provider), options);
        Assert.Equal((5, "SingleFlight"), (options.MaxElections, options.Name));
        Assert.True(descriptor.IsReloadable);
    }
#endif
}
