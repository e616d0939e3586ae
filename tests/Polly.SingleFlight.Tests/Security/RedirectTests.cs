using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Tests.Security;

/// <summary>
/// The runtime takes <c>Authorization</c> off a request that is redirected, so what an inner handler added is gone when the
/// response is there, and was sent all the same.
/// </summary>
public sealed class RedirectTests : HttpTest
{
    [Theory]
    [InlineData("Authorization", null)]
    [InlineData("X-Api-Key", null)]
    [InlineData("Cookie", null)]
    [InlineData("Authorization", "Bearer the same for all")]
    public async Task InnerCredentials_RequestIsRedirected_NothingCrosses(string header, string? outer)
    {
        var server = await RedirectingAsync(header);
        var client = Client(Sockets(), inside: new AddingHeader(header, static request => request.User()));
        string[] users = ["alice", "bob", "carol"];
        var callers = await Start(3, i =>
        {
            var request = Get(server.Address).By(users[i]);
            return client.SendAsync(outer is null ? request : request.With(header, outer));
        });
        Gate.Open();

        Assert.Equal(users, await Bodies(callers));
    }

    [Fact]
    public async Task InnerCredentials_AreSeenGoingOut_NothingCrosses()
    {
        var server = await RedirectingAsync("Authorization");
        var client = Client(Sockets(), inside: [new AddingHeader("Authorization", static request => request.User()), new ShowsSending()]);
        string[] users = ["alice", "bob", "carol"];
        var callers = await Start(3, i => client.SendAsync(Get(server.Address).By(users[i])));
        Gate.Open();

        Assert.Equal(users, await Bodies(callers));
    }

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 2 * 3)]
    public async Task NoCredentials_RequestIsRedirected_IsSharedOnlyIfItIsKnownThatNoneWereAdded(bool isSeen, int calls)
    {
        var server = await RedirectingAsync("X-None");
        var client = isSeen ? Client(Sockets(), inside: new ShowsSending()) : Client(Sockets());
        var callers = await Start(client, 3, () => Get(server.Address));
        Gate.Open();

        Assert.Equal(["", "", ""], await Bodies(callers));
        Assert.Equal(calls, server.Calls);
    }

    [Theory]
    [InlineData("Authorization")]
    [InlineData("X-Api-Key")]
    public async Task OuterCredentials_RequestIsRedirected_NothingCrosses(string header)
    {
        var server = await RedirectingAsync(header);
        var client = Client(Sockets());
        string[] users = ["alice", "bob"];
        var callers = Enumerable.Range(0, 6).Select(i => client.SendAsync(Get(server.Address, (header, users[i % 2])))).ToArray();
        await Probe.Reached(Joined, 4);
        Gate.Open();

        Assert.Equal(["alice", "bob", "alice", "bob", "alice", "bob"], await Bodies(callers));
    }

    private async Task<TestServer> RedirectingAsync(string header) => Serve(await TestServer.StartAsync(async context =>
    {
        if (context.Request.Path == "/final")
        {
            await context.Response.WriteAsync(context.Request.Query["user"].ToString());
            return;
        }

        await Gate.Opened;
        context.Response.Redirect("/final?user=" + context.Request.Headers[header]);
    }));
}
