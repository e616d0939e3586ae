namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>Handlers inside that add or change a header, wherever they have it from.</summary>
public sealed class AddedHeaderTests : IdentityTest
{
    [Theory]
    [InlineData("X-Tenant")]
    [InlineData("X-User")]
    [InlineData("Accept-Language")]
    [InlineData("Accept")]
    [InlineData("If-None-Match")]
    [InlineData("X-Whatever-It-Is")]
    [InlineData("Authorization")]
    [InlineData("Cookie")]
    [InlineData("X-Api-Key")]
    public async Task Header_AddedFromAmbientState_IsIdentity(string name) =>
        await EachTenantGetsItsOwn(Provide(name, static _ => Ambient.User), $"the header {name}");

    [Theory]
    [InlineData("X-Tenant")]
    [InlineData("X-User")]
    public async Task Header_AddedFromOptionsOfTheRequest_IsIdentity(string name) =>
        await EachTenantGetsItsOwn(Provide(name, static request => request.User()), $"the header {name}");

    [Fact]
    public async Task Header_AddedFromTheScopeOfTheCaller_IsIdentity()
    {
        var provider = Provide(static services =>
        {
            services.AddScoped<Ambient.Tenant>();
            services.AddHttpClient(Prices).AddSingleFlight().AddHttpMessageHandler(static () =>
                new AddingHeader("X-Tenant", static request => request.Scope().GetRequiredService<Ambient.Tenant>().Name));
        });
        var next = 0;
        await using var scopes = new Scopes();

        await EachTenantGetsItsOwn(provider, "the header X-Tenant", () =>
        {
            var scope = scopes.Add(provider.CreateAsyncScope());
            scope.GetRequiredService<Ambient.Tenant>().Name = Tenants[next++ % Tenants.Length];
            return new HttpRequestMessage(HttpMethod.Get, Server.At("/resource")).In(scope);
        });
    }

    [Theory]
    [InlineData("X-Tenant")]
    [InlineData("Accept-Language")]
    public async Task Header_ThatIsChanged_IsIdentity(string name) =>
        await EachTenantGetsItsOwn(
            Provide(name, static _ => Ambient.User),
            $"the header {name}",
            () => new HttpRequestMessage(HttpMethod.Get, Server.At("/resource")).With(name, "default"));

    [Fact]
    public async Task Header_ThatGetsAFurtherValue_IsIdentity() =>
        await EachTenantGetsItsOwn(
            ProvideInside(static request => request.Headers.Add("X-Tenant", Ambient.User)),
            "the header X-Tenant",
            () => new HttpRequestMessage(HttpMethod.Get, Server.At("/resource")).With("X-Tenant", "default"));

    [Fact]
    public async Task Header_AddedToTheBody_IsIdentity() =>
        await EachTenantGetsItsOwn(
            ProvideInside(static request => request.Content!.Headers.Add("X-Content-Of", Ambient.User)),
            "the header X-Content-Of",
            () => new HttpRequestMessage(HttpMethod.Post, Server.At("/resource")) { Content = new StringContent("same") });

    [Fact]
    public async Task Header_AddedByThePrimaryHandler_IsIdentity()
    {
        var provider = ProvideClient(static client => client
            .ConfigurePrimaryHttpMessageHandler(static () => new AddingHeader("X-Tenant", static _ => Ambient.User) { InnerHandler = HttpTest.Sockets() })
            .AddSingleFlight());

        await EachTenantGetsItsOwn(provider, "the header X-Tenant");
    }

    [Fact]
    public async Task Header_AddedBehindResilience_IsIdentity()
    {
        var provider = Provide(static services =>
        {
            services.ConfigureHttpClientDefaults(static client => client.AddStandard());
            services.AddHttpClient(Prices).AddSingleFlight().AddHttpMessageHandler(static () => new AddingHeader("X-Tenant", static _ => Ambient.User));
        });

        await EachTenantGetsItsOwn(provider, "the header X-Tenant");
    }

    [Fact]
    public async Task Header_AddedInsideAPipelineOfAddResilienceHandler_IsIdentity()
    {
        var provider = Provide(services =>
        {
            var client = services.AddHttpClient(Prices);
            client.AddResilienceHandler("own", (pipeline, context) => pipeline.AddSingleFlight(Options(context)).AddRetry(Resilience.Retries()));
            client.AddHttpMessageHandler(static () => new AddingHeader("X-Tenant", static _ => Ambient.User));
            services.AddHttpClient("other").AddSingleFlight();
        });

        await EachTenantGetsItsOwn(provider, "the header X-Tenant");
    }

    private ServiceProvider Provide(string name, Func<HttpRequestMessage, string?> value) =>
        ProvideClient(client => client.AddSingleFlight().AddHttpMessageHandler(() => new AddingHeader(name, value)));

    private ServiceProvider ProvideInside(Action<HttpRequestMessage> act) => ProvideClient(client => client
        .AddSingleFlight(static options => options.Methods.Add(HttpMethod.Post))
        .AddHttpMessageHandler(() => new AppHandler(act)));

    private sealed class Scopes : IAsyncDisposable
    {
        private readonly List<AsyncServiceScope> _scopes = [];

        public IServiceProvider Add(AsyncServiceScope scope)
        {
            _scopes.Add(scope);
            return scope.ServiceProvider;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var scope in _scopes)
            {
                await scope.DisposeAsync();
            }
        }
    }
}
