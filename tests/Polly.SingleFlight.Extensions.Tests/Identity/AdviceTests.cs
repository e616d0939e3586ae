using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>The guard's warning says what to do. Each piece of advice is found in it, followed, and seen to work.</summary>
public sealed class AdviceTests : IdentityTest
{
    public static TheoryData<string> Additions => ["X-Tenant", "Authorization", "path"];

    [Theory]
    [MemberData(nameof(Additions))]
    public async Task Advice_AddSingleFlightAfterThatHandler_KeepsTenantsApartAndShares(string addition)
    {
        await IsAdvised(client => client.AddSingleFlight().AddHttpMessageHandler(() => Adding(addition)), "add single flight after that handler");
        var provider = ProvideClient(client => client.AddHttpMessageHandler(() => Adding(addition)).AddSingleFlight());
        using var client = Client(provider);
        var called = Server.Calls;

        var one = await Ambient.As(Tenants[0], () => Fly(client, 3));
        var two = await Ambient.As(Tenants[1], () => Fly(client, 3));
        Array.ForEach(Gates, static gate => gate.Open());

        Assert.Contains(Tenants[0], Assert.Single((await Task.WhenAll(one)).Distinct()), StringComparison.Ordinal);
        Assert.Contains(Tenants[1], Assert.Single((await Task.WhenAll(two)).Distinct()), StringComparison.Ordinal);
        Assert.Equal(called + 2, Server.Calls);
        Assert.Single(GuardWarnings);
    }

    [Fact]
    public async Task Advice_AddTheNameOfTheHeaderToHarmlessHeaders_Shares() => await IsAdvisedAndShares(
        "add the name of the header to HarmlessHeaders", static () => Adding("X-Version"), static options => options.HarmlessHeaders.Add("X-Version"));

    [Fact]
    public async Task Advice_HostForAnotherHost_Shares()
    {
        var port = (await Serve(async context =>
        {
            Server.Probe.Hit(TestServer.Called);
            await AnswerAsync(context);
        })).Address.Port;

        await IsAdvisedAndShares(
            "(Host for another host)",
            () => new AppHandler(request => request.RequestUri = new UriBuilder(request.RequestUri!) { Host = "localhost", Port = port }.Uri),
            static options => options.HarmlessHeaders.Add("Host"));
    }

    [Theory]
    [InlineData("Authorization")]
    [InlineData("X-Api-Key")]
    public async Task Advice_ForCredentialsSetGuardCredentialsToFalse_Shares(string name) => await IsAdvisedAndShares(
        "for credentials set GuardCredentials to false", () => Adding(name), static options => options.GuardCredentials = false);

    private async Task IsAdvisedAndShares(string advice, Func<DelegatingHandler> adding, Action<HttpSingleFlightStrategyOptions> follow)
    {
        await IsAdvised(client => client.AddSingleFlight().AddHttpMessageHandler(adding), advice);
        var provider = ProvideClient(client => client.AddSingleFlight(follow).AddHttpMessageHandler(adding));
        var called = Server.Calls;

        var callers = await Fly(Client(provider), 3);
        Array.ForEach(Gates, static gate => gate.Open());
        await Task.WhenAll(callers);

        Assert.Equal(called + 1, Server.Calls);
        Assert.Single(GuardWarnings);
    }

    /// <summary>Two callers who do not share, and the warning about it.</summary>
    private async Task IsAdvised(Action<IHttpClientBuilder> configure, string advice)
    {
        var callers = await Fly(Client(ProvideClient(configure)), 2);
        Gates[0].Open();
        Gates[1].Open();
        await Task.WhenAll(callers);

        Assert.Equal(2, Server.Calls);
        Assert.Contains(advice, Assert.Single(GuardWarnings).Message, StringComparison.Ordinal);
    }

    /// <summary>Holds each call at a gate of its own.</summary>
    protected override async Task AnswerAsync(HttpContext context)
    {
        var gate = Gates[Server.Calls - 1];
        var text = await Describe(context.Request);
        await gate.Opened.WaitAsync(context.RequestAborted);
        await Write(context, text);
    }

    private static DelegatingHandler Adding(string addition) => addition == "path"
        ? new AppHandler(static request => request.RequestUri = new Uri(request.RequestUri!, $"/of/{Ambient.User}"))
        : new AddingHeader(addition, static _ => Ambient.User ?? "all");
}
