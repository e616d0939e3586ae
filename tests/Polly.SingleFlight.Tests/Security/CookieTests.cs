using System.Net;
using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Tests.Security;

/// <summary>Cookies of a container are invisible on the message; the discriminator tells their users apart.</summary>
public sealed class CookieTests : HttpTest
{
    [Fact]
    public async Task CookieContainers_TwoUsersWithADiscriminator_GetTheirOwnAnswers()
    {
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            await Gate.Opened;
            await context.Response.WriteAsync(context.Request.Cookies["session"] ?? "none");
        }));
        var pipeline = Pipeline(Options(static options => options.Discriminator = static request => request.User()));
        var clients = new[] { "alice", "bob" }.ToDictionary(static user => user, user => Client(WithCookie(server.Address, user), pipeline));
        var callers = Enumerable.Range(0, 20).Select(i =>
        {
            var user = i % 2 == 0 ? "alice" : "bob";
            return clients[user].SendAsync(Get(server.Address).By(user));
        }).ToArray();
        await Probe.Reached(Joined, 18);
        Gate.Open();

        var bodies = await Bodies(callers);
        Assert.Equal(Enumerable.Range(0, 20).Select(static i => i % 2 == 0 ? "alice" : "bob"), bodies);
        Assert.Equal(2, server.Calls);
    }

    [Fact]
    public async Task SetCookie_ManyCallersOfOneContainer_EverybodysIsKeptApart()
    {
        var calls = 0;
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            var call = Interlocked.Increment(ref calls);
            await Gate.Opened;
            context.Response.Cookies.Append("session", "call" + call);
            await context.Response.WriteAsync("call" + call);
        }));
        var client = Client(new SocketsHttpHandler { UseProxy = false, CookieContainer = new CookieContainer() });
        var callers = await Start(client, 8, () => Get(server.Address));
        Gate.Open();

        foreach (var caller in callers)
        {
            var response = await caller;
            var cookie = Assert.Single(response.Headers.GetValues("Set-Cookie"));
            Assert.StartsWith("session=" + await response.Content.ReadAsStringAsync(), cookie, StringComparison.Ordinal);
        }
    }

    private static SocketsHttpHandler WithCookie(Uri address, string session)
    {
        var cookies = new CookieContainer();
        cookies.Add(address, new Cookie("session", session));
        return new SocketsHttpHandler { UseProxy = false, CookieContainer = cookies };
    }
}
