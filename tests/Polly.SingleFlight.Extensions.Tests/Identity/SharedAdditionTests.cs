using OpenTelemetry.Trace;

namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>What handlers inside may add without a word: it says nothing about the caller.</summary>
public sealed class SharedAdditionTests : IdentityTest
{
    [Theory]
    [InlineData("traceparent")]
    [InlineData("tracestate")]
    [InlineData("baggage")]
    [InlineData("X-Request-Id")]
    [InlineData("x-correlation-id")]
    [InlineData("X-B3-TraceId")]
    [InlineData("sentry-trace")]
    [InlineData("Accept-Encoding")]
    [InlineData("User-Agent")]
    public async Task Header_OfTracingOrOfTheClient_IsHarmless(string name) =>
        await AllShare(Inside(new AddingHeaderOf(name), static _ => { }));

    [Fact]
    public async Task Header_ThatIsExcluded_IsHarmless() =>
        await AllShare(Inside(new AddingHeaderOf("X-Call"), static options => options.ExcludedHeaders.Add("x-call")));

    [Fact]
    public async Task Header_ThatIsDeclaredHarmless_IsHarmless() =>
        await AllShare(Inside(new AddingHeaderOf("X-Call"), static options => options.HarmlessHeaders.Add("x-call")));

    [Fact]
    public async Task Credentials_ThatAreNotGuarded_AreHarmless() =>
        await AllShare(Inside(new AddingHeaderOf("Authorization"), static options => options.GuardCredentials = false));

    [Fact]
    public async Task Header_ThatIsSetToWhatItWas_IsHarmless() => await AllShare(
        ProvideClient(static client => client.AddSingleFlight().AddHttpMessageHandler(static () => new AddingHeader("X-Tenant", static _ => "same"))),
        () => new HttpRequestMessage(HttpMethod.Get, Server.At("/resource")).With("X-Tenant", "same"));

    [Fact]
    public async Task Header_ThatIsRemoved_IsHarmless() => await AllShare(
        ProvideClient(static client => client.AddSingleFlight().AddHttpMessageHandler(static () => new AddingHeader("X-Tenant", static _ => null))),
        () => new HttpRequestMessage(HttpMethod.Get, Server.At("/resource")).With("X-Tenant", "same"));

    [Fact]
    public async Task Host_InStepWithTheAddress_IsHarmless() => await AllShare(
        ProvideClient(static client => client.AddSingleFlight().AddHttpMessageHandler(
            static () => new AppHandler(static request => request.Headers.Host = request.RequestUri!.Authority))));

    [Fact]
    public async Task Host_OutOfStepWithTheAddress_IsIdentity() => await EachTenantGetsItsOwn(
        ProvideClient(static client => client.AddSingleFlight().AddHttpMessageHandler(
            static () => new AppHandler(static request => request.Headers.Host = $"{Ambient.User}.test"))),
        "the header Host");

    [Fact]
    public async Task Propagation_OfOpenTelemetry_IsHarmless()
    {
        var provider = Provide(static services =>
        {
            services.AddOpenTelemetry().WithTracing(static tracing => tracing.AddHttpClientInstrumentation().AddSource("Polly.SingleFlight", "app"));
            services.AddHttpClient(Prices).AddSingleFlight().AddStandard();
        });
        using var tracing = provider.GetRequiredService<TracerProvider>();
        using var source = new System.Diagnostics.ActivitySource("app");
        using var activity = source.StartActivity("caller");
        Assert.NotNull(activity);
        activity.AddBaggage("tenant", "of the leader");

        await AllShare(provider);
        Assert.Equal(1, Server.Calls);
    }

    [Fact]
    public async Task Retries_InsideTheFlight_AreHarmless() =>
        await AllShare(ProvideClient(static client => client.AddStandard().AddRetries("own").AddSingleFlight()));

    private ServiceProvider Inside(AddingHeaderOf adding, Action<HttpSingleFlightStrategyOptions> configure) =>
        ProvideClient(client => client.AddSingleFlight(configure).AddHttpMessageHandler(adding.Create));

    /// <summary>A header whose value is another for each caller.</summary>
    private sealed record AddingHeaderOf(string Name)
    {
        public AddingHeader Create() => new AddingHeader(Name, static _ => $"{Ambient.User}");
    }
}
