using Duende.IdentityModel.Client;
using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Extensions.Tests.Clients;

/// <summary>The token client of Duende.IdentityModel.</summary>
public sealed class TokenClientTests : ClientTest
{
    [Theory]
    [InlineData(ClientCredentialStyle.PostBody)]
    [InlineData(ClientCredentialStyle.AuthorizationHeader)]
    public async Task Callers_WithTheSameCredentials_AreOneCallAndGetResponsesOfTheirOwn(ClientCredentialStyle style)
    {
        using var client = Client(ProvideClient(static client => client.AddStandard().AddSingleFlight(static options => options.UseTokenEndpoint())));

        var callers = new List<Task<TokenResponse>> { Request(client, "client", "catalogue", style) };
        await Probe.Reached(Started, 1);
        callers.AddRange(Enumerable.Range(1, 99).Select(_ => Request(client, "client", "catalogue", style)));
        await Probe.Reached(Joined, 99);
        Gate.Open();

        var tokens = await Task.WhenAll(callers);
        Assert.All(tokens, static token => Assert.Equal(("token 1", false, 3600), (token.AccessToken, token.IsError, token.ExpiresIn)));
        Assert.Equal(100, tokens.Distinct(ReferenceEqualityComparer.Instance).Count());
        Assert.Equal(1, Server.Calls);
        Assert.Empty(Warnings);
    }

    [Fact]
    public async Task Callers_WithOtherScopesOrCredentials_GetTokensOfTheirOwn()
    {
        using var client = Client(ProvideClient(static client => client.AddSingleFlight(static options => options.UseTokenEndpoint())));

        Task<TokenResponse>[] callers = [Request(client, "client", "a"), Request(client, "client", "b"), Request(client, "other", "a")];
        await Probe.Reached(Started, 3);
        Gate.Open();

        Assert.Equal(3, (await Task.WhenAll(callers)).Select(static token => token.AccessToken).Distinct().Count());
    }

    [Fact]
    public async Task Callers_WhoseCredentialsAreRefused_GetTheErrorOfOneCall()
    {
        using var client = Client(ProvideClient(static client => client.AddStandard().AddSingleFlight(static options => options.UseTokenEndpoint())));

        var first = Request(client, "unknown", "a");
        await Probe.Reached(Started, 1);
        var second = Request(client, "unknown", "a");
        await Probe.Reached(Joined, 1);
        Gate.Open();

        Assert.Equal(["invalid_client", "invalid_client"], (await Task.WhenAll(first, second)).Select(static token => token.Error));
        Assert.Equal(1, Server.Calls);
        Gate.Open();
        Assert.True((await Request(client, "unknown", "a")).IsError);
        Assert.Equal(2, Server.Calls);
    }

    [Fact]
    public async Task Request_ByPassword_IsSentAlone()
    {
        using var client = Client(ProvideClient(static client => client.AddSingleFlight(static options => options.UseTokenEndpoint())));
        using var request = new PasswordTokenRequest { Address = $"{Server.Address}", ClientId = "client", UserName = "alice", Password = "x" };
        Gate.Open();

        Assert.False((await client.RequestPasswordTokenAsync(request).Soon()).IsError);

        Assert.Equal((0, 1), (Probe[Started], Probe[Bypassed]));
    }

    protected override async Task AnswerAsync(HttpContext context)
    {
        var number = NextNumber();
        var form = await context.Request.ReadFormAsync();
        await Gate.Opened.WaitAsync(context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentType = "application/json";
        if (form["client_id"] == "unknown")
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await Write(context, """{"error":"invalid_client"}""");
            return;
        }

        await Write(context, $$"""{"access_token":"token {{number}}","expires_in":3600,"token_type":"Bearer"}""");
    }

    private async Task<TokenResponse> Request(
        HttpClient client, string id, string scope, ClientCredentialStyle style = ClientCredentialStyle.PostBody)
    {
        using var request = new ClientCredentialsTokenRequest
        {
            Address = $"{Server.Address}connect/token",
            ClientId = id,
            ClientSecret = "secret",
            Scope = scope,
            ClientCredentialStyle = style,
        };
        return await client.RequestClientCredentialsTokenAsync(request).Soon();
    }
}
