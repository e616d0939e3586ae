using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>Redirects from one host to another, which the primary handler follows.</summary>
public sealed class RedirectTests : IdentityTest
{
    [Theory]
    [InlineData(StatusCodes.Status302Found)]
    [InlineData(StatusCodes.Status307TemporaryRedirect)]
    [InlineData(StatusCodes.Status308PermanentRedirect)]
    public async Task Redirect_ToAnotherHost_IsShared(int status)
    {
        var front = await Redirecting(status);

        await AllShare(
            ProvideClient(static client => client.AddStandard().AddSingleFlight()),
            () => new HttpRequestMessage(HttpMethod.Get, front.At("/resource")));
        Assert.Equal((1, 1), (front.Calls, Server.Calls));
    }

    [Fact]
    public async Task Redirect_InAPipelineOfAddResilienceHandler_IsShared()
    {
        var front = await Redirecting(StatusCodes.Status302Found);
        var provider = Provide(services =>
        {
            services.AddHttpClient(Prices).AddResilienceHandler("own", (pipeline, context) => pipeline.AddSingleFlight(Options(context)));
            services.AddHttpClient("other").AddSingleFlight();
        });

        await AllShare(provider, () => new HttpRequestMessage(HttpMethod.Get, front.At("/resource")));
    }

    [Theory]
    [InlineData("Authorization")]
    [InlineData("X-Tenant")]
    public async Task Redirect_OfARequestWithAnIdentityAddedInside_IsNotShared(string name)
    {
        // The primary handler takes Authorization off for another host, so the answer would not tell what the request had.
        var front = await Serve(async context =>
        {
            Server.Probe.Hit(TestServer.Called);
            await Hold(context);
            context.Response.Redirect($"http://localhost:{Static.Port}/{context.Request.Headers[name]}");
        });
        Static = (await Serve(static context => Write(context, context.Request.Path))).Address;

        await EachTenantGetsItsOwn(
            ProvideClient(client => client.AddSingleFlight().AddHttpMessageHandler(() => new AddingHeader(name, static _ => Ambient.User))),
            $"the header {name}",
            () => new HttpRequestMessage(HttpMethod.Get, front.At("/resource")));
    }

    /// <summary>Where no handler sees requests go out, a redirect may hide what was added, so it is not shared.</summary>
    [Fact]
    public async Task Redirect_BehindAPrimaryHandlerThatPassesOn_IsNotShared()
    {
        var front = await Redirecting(StatusCodes.Status302Found);
        var provider = ProvideClient(static client => client
            .ConfigurePrimaryHttpMessageHandler(static () => new AppHandler(static _ => { }) { InnerHandler = HttpTest.Sockets() })
            .AddSingleFlight());
        using var client = Client(provider);

        var callers = new[] { client.GetStringAsync(front.At("/resource")).Soon(), client.GetStringAsync(front.At("/resource")).Soon() };
        await Probe.Reached(Joined, 1);
        Array.ForEach(Gates, static gate => gate.Open());

        await Task.WhenAll(callers);
        Assert.Equal(2, front.Calls);
        Assert.Contains("another host, scheme or port", Assert.Single(GuardWarnings).Message, StringComparison.Ordinal);
    }

    private Uri Static { get; set; } = null!;

    private Task<TestServer> Redirecting(int status) => Serve(context =>
    {
        context.Response.StatusCode = status;
        context.Response.Headers.Location = $"http://localhost:{Server.Address.Port}/final";
        return Task.CompletedTask;
    });
}
