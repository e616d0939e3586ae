using System.Net;
using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>Responses that are for one caller: the leader keeps it, the others send their own requests, all at the same time.</summary>
public sealed class UnshareableTests : HttpTest
{
    private readonly Gate _body = new();

    public static TheoryData<string, string> Unshareable => new()
    {
        { "Set-Cookie", "session=1" },
        { "Authentication-Info", "nextnonce=\"1\"" },
        { "Clear-Site-Data", "\"*\"" },
        { "Vary", "*" },
        { "Vary", "Accept, *" },
        { "Cache-Control", "no-store" },
        { "Cache-Control", "max-age=0, NO-STORE" },
        { "Content-Type", "text/event-stream" },
        { "Content-Type", "Text/Event-Stream; charset=utf-8" },
        { "Content-Type", "multipart/x-mixed-replace; boundary=x" },
    };

    public static TheoryData<string, string> Shareable => new()
    {
        { "Vary", "Accept, Accept-Encoding" },
        { "Cache-Control", "private, max-age=60" },
        { "Cache-Control", "no-cache" },
        { "Cache-Control", "max-age=0, x-extension=\"no-store\"" },
        { "Pragma", "no-cache" },
        { "Content-Type", "multipart/mixed; boundary=x" },
        { "ETag", "\"1\"" },
    };

    [Theory]
    [MemberData(nameof(Unshareable))]
    public async Task Headers_ForbidSharing_EverybodyCallsAtTheSameTime(string name, string value)
    {
        var others = new Gate();
        var upstream = new Upstream(async (sent, token) =>
        {
            await (sent.Number == 1 ? Gate : others).Opened.WaitAsync(token);
            return Ok("answer " + sent.Number).With(name, value);
        });
        var client = Client(upstream);
        var callers = await Start(client, 10);

        Gate.Open();
        await upstream.Received(10);
        others.Open();

        var bodies = await Bodies(callers);
        Assert.Equal("answer 1", bodies[0]);
        Assert.Equal(10, bodies.Distinct().Count());
        Assert.Equal(10, upstream.Calls);
        Assert.Equal(Enumerable.Repeat(BypassReason.Unshared, 9), Reasons);
    }

    [Theory]
    [MemberData(nameof(Shareable))]
    public async Task Headers_SayNothingAgainstIt_AreShared(string name, string value)
    {
        var upstream = new Upstream(Gate, _ => Ok("shared").With(name, value));
        var client = Client(upstream);
        var callers = await Start(client, 5);
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("shared", body));
        Assert.Equal(1, upstream.Calls);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(203)]
    [InlineData(299)]
    [InlineData(300)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(429)]
    [InlineData(451)]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(599)]
    public async Task Status_Final_IsShared(int status)
    {
        var upstream = new Upstream(Gate, _ => Ok("shared").Status((HttpStatusCode)status).With("WWW-Authenticate", "Basic"));
        var client = Client(upstream);
        var callers = await Start(client, 5);
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("shared", body));
        Assert.All(callers, caller => Assert.Equal(status, (int)caller.Result.StatusCode));
        Assert.Equal(1, upstream.Calls);
    }

    [Fact]
    public async Task SetCookie_OverRealConnections_EveryCallerGetsItsOwnCookie()
    {
        var (calls, others) = (0, new Gate());
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            var call = Interlocked.Increment(ref calls);
            await (call == 1 ? Gate : others).Opened;
            context.Response.Cookies.Append("session", "of-call-" + call);
            await context.Response.WriteAsync("answer");
        }));
        var client = Client(Sockets());
        var callers = await Start(client, 12, () => Get(server.Address));

        Gate.Open();
        await server.Probe.Reached(TestServer.Called, 12);
        others.Open();

        var cookies = (await Task.WhenAll(callers)).Select(static response => Assert.Single(response.Headers.GetValues("Set-Cookie")));
        Assert.Equal(12, cookies.Distinct().Count());
    }

    [Fact]
    public async Task SlowBody_OfUnshareableHeaders_FollowersAreReleasedBeforeIt()
    {
        var calls = 0;
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            var call = Interlocked.Increment(ref calls);
            if (call == 1)
            {
                await Gate.Opened;
            }

            context.Response.Headers.CacheControl = "no-store";
            await context.Response.Body.FlushAsync();
            if (call == 1)
            {
                await _body.Opened.WaitAsync(context.RequestAborted);
            }

            await context.Response.WriteAsync("answer");
        }));
        var client = Client(Sockets());
        var callers = await Start(client, 5, () => Get(server.Address));

        Gate.Open();

        Assert.All(await Bodies(callers[1..]), static body => Assert.Equal("answer", body));
        Assert.False(callers[0].IsCompleted);
        _body.Open();
        Assert.Equal("answer", await Body(callers[0]));
    }

    [Fact]
    public async Task ShareNoStoreResponses_On_NoStoreIsShared()
    {
        var upstream = new Upstream(Gate, static _ => Ok("shared").With("Cache-Control", "no-store"));
        var client = Client(upstream, Pipeline(Options(static options => options.ShareNoStoreResponses = true)));
        var callers = await Start(client, 5);
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("shared", body));
        Assert.Equal(1, upstream.Calls);
    }

    [Fact]
    public async Task ShareSetCookieResponses_On_CookiesAreSharedOneByOne()
    {
        var upstream = new Upstream(Gate, static _ => Ok("shared").With("Set-Cookie", "a=1; Expires=Wed, 21 Oct 2065 07:28:00 GMT").With("Set-Cookie", "b=2"));
        var client = Client(upstream, Pipeline(Options(static options => options.ShareSetCookieResponses = true)));
        var callers = await Start(client, 3);
        Gate.Open();

        Assert.All(await Task.WhenAll(callers), static response => Assert.Equal(
            ["a=1; Expires=Wed, 21 Oct 2065 07:28:00 GMT", "b=2"], response.Headers.GetValues("Set-Cookie")));
        Assert.Equal(1, upstream.Calls);
    }
}
