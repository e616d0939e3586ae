using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Http.Resilience;

namespace Polly.SingleFlight.Tests.Security;

/// <summary>Nobody ever gets an answer that was meant for somebody else, in whatever order the handlers are.</summary>
public sealed class IdentityTests : HttpTest
{
    private const int Callers = 400;
    private const int Users = 10;
    private const int Seed = 20261122;

    public enum Order
    {
        IdentityByTheCaller,
        IdentityOutside,
        IdentityInside,
        IdentityInsideWithDiscriminator,
        IdentityOnBothSides,
        IdentityInsideOfARetriedRequest,
    }

    public static TheoryData<Order, bool> Orders
    {
        get
        {
            var data = new TheoryData<Order, bool>();
            foreach (var order in Enum.GetValues<Order>())
            {
                data.Add(order, false);
                data.Add(order, true);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Load_TenIdentities_EveryBodyEchoesItsOwn(Order order, bool redirect)
    {
        var server = Serve(await TestServer.StartAsync(context => EchoAsync(context, redirect)));
        var options = Options(static options => options.UnshareableDuration = TimeSpan.FromTicks(1));
        if (order == Order.IdentityInsideWithDiscriminator)
        {
            options.Discriminator = static request => request.User();
            options.GuardCredentials = false;
        }

        var pipeline = order == Order.IdentityInsideOfARetriedRequest
            ? Pipeline(options, inside: static builder => builder.AddRetry(new() { Delay = TimeSpan.Zero }))
            : Pipeline(options);
        DelegatingHandler single = new ResilienceHandler(pipeline);
        DelegatingHandler[] handlers = order switch
        {
            Order.IdentityByTheCaller => [single],
            Order.IdentityOutside => [Identity("X-User"), single],
            Order.IdentityOnBothSides => [Identity("X-User"), single, Identity("Authorization")],
            _ => [single, Identity("Authorization")],
        };
        var client = PlainClient(Chain(handlers, Sockets()));
        var random = new Random(Seed);
        var users = Enumerable.Range(0, Callers).Select(_ => "user" + random.Next(Users)).ToArray();

        var answers = await Task.WhenAll(users.Select(async (user, index) =>
        {
            await Task.Yield();
            var request = Get(server.At("/echo/" + (index % 3))).By(user);
            if (order == Order.IdentityByTheCaller)
            {
                request.With("X-User", user);
            }

            Clock.Advance(TimeSpan.FromTicks(2));
            return await Body(client.SendAsync(request));
        })).Soon();

        Assert.Equal(users, answers);
    }

    [Fact]
    public async Task CredentialsInTheUri_TwoUsers_AreSeparate()
    {
        var upstream = new Upstream(Gate, static sent => Ok(sent.Uri.UserInfo));
        var client = Client(upstream);
        var callers = new[] { "alice:1", "bob:2" }.Select(user => client.SendAsync(Get(new Uri($"http://{user}@upstream.test/")))).ToArray();
        await upstream.Received(2);
        Gate.Open();

        Assert.Equal(["alice:1", "bob:2"], await Bodies(callers));
    }

    [Fact]
    public async Task InnerCredentials_OfARetryOnly_TripTheGuardToo()
    {
        // The first attempt is anonymous, the second is not.
        var upstream = new Upstream(async (sent, token) =>
        {
            await Gate.Opened.WaitAsync(token);
            return sent.Header("Authorization") is { } user ? Ok(user) : Ok("who?").Status(System.Net.HttpStatusCode.Unauthorized);
        });
        var handler = new AfterUnauthorized();
        var client = Client(upstream, inside: handler);
        string[] users = ["alice", "bob", "carol"];
        var callers = await Start(3, i => client.SendAsync(Get().By(users[i])));
        Gate.Open();

        Assert.Equal(users, await Bodies(callers));
    }

    private static AddingHeader Identity(string header) => new(header, static request => request.User());

    private static async Task EchoAsync(HttpContext context, bool redirect)
    {
        var user = context.Request.Headers["X-User"] is { Count: > 0 } named ? named.ToString() : context.Request.Headers.Authorization.ToString();
        if (redirect && context.Request.Path.StartsWithSegments("/echo", StringComparison.Ordinal))
        {
            // The credentials do not survive a redirect, so the location says who asked.
            context.Response.Redirect("/final?user=" + user);
            return;
        }

        await Task.Yield();
        await context.Response.WriteAsync(redirect ? context.Request.Query["user"].ToString() : user);
    }

    private sealed class AfterUnauthorized : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var first = await base.SendAsync(request, cancellationToken);
            return await base.SendAsync(request.With("Authorization", request.User()!), cancellationToken);
        }
    }
}
