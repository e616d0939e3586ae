namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>Headers that hold credentials and nothing else: no list makes them harmless.</summary>
public sealed class CredentialTests : IdentityTest
{
    public static TheoryData<string> Credentials => ["Authorization", "Proxy-Authorization", "Cookie", "DPoP", "X-Api-Key", "api-key"];

    [Theory]
    [MemberData(nameof(Credentials))]
    public async Task Credentials_DeclaredHarmless_AreIdentityAllTheSame(string name) =>
        await EachTenantGetsItsOwn(Adding(name, options => options.HarmlessHeaders.Add(name)), $"the header {name}");

    [Theory]
    [MemberData(nameof(Credentials))]
    public async Task Credentials_Excluded_AreIdentityAllTheSame(string name) =>
        await EachTenantGetsItsOwn(Adding(name, options => options.ExcludedHeaders.Add(name)), $"the header {name}");

    [Theory]
    [MemberData(nameof(Credentials))]
    public async Task Credentials_NotGuarded_AreShared(string name) =>
        await AllShare(Adding(name, static options => options.GuardCredentials = false));

    [Theory]
    [InlineData("X-Tenant")]
    [InlineData("Accept-Language")]
    public async Task OtherHeaders_WithoutTheGuardOfCredentials_AreIdentity(string name) =>
        await EachTenantGetsItsOwn(Adding(name, static options => options.GuardCredentials = false), $"the header {name}");

    /// <summary>A credential that the caller has, outside of the key, and that a handler replaces.</summary>
    [Fact]
    public async Task Credentials_ExcludedAndOfTheCaller_AreIdentity() => await EachTenantGetsItsOwn(
        Adding("X-Api-Key", static options => options.ExcludedHeaders.Add("X-Api-Key")),
        "the header X-Api-Key",
        () => new HttpRequestMessage(HttpMethod.Get, Server.At("/resource")).With("X-Api-Key", "default"));

    /// <summary>Callers who differ in a credential that the key leaves out would share what is one's own.</summary>
    [Theory]
    [MemberData(nameof(Credentials))]
    public async Task Credentials_ExcludedAndOfEachCaller_AreIdentity(string name) => await EachTenantGetsItsOwn(
        ProvideClient(client => client.AddSingleFlight(options =>
        {
            options.BypassHeaders.Clear();
            options.ExcludedHeaders.Add(name);
        })),
        $"the header {name}",
        () => new HttpRequestMessage(HttpMethod.Get, Server.At("/resource")).With(name, Ambient.User!));

    private ServiceProvider Adding(string name, Action<HttpSingleFlightStrategyOptions> configure) => ProvideClient(client => client
        .AddSingleFlight(configure)
        .AddHttpMessageHandler(() => new AddingHeader(name, static _ => Ambient.User)));
}
