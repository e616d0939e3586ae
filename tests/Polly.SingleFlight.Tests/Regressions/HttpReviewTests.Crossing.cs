using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Tests.Regressions;

/// <summary>A response meant for one caller must not reach another.</summary>
public sealed class HttpReviewTestsCrossing : HttpTest
{
    private static readonly AsyncLocal<string> s_user = new();

    [Fact]
    public async Task CredentialGuard_RedirectTookTheHeaderOffAgain_StillTrips()
    {
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            if (context.Request.Path == "/me")
            {
                await Gate.Opened;
                context.Response.Redirect("/users/" + context.Request.Headers.Authorization.ToString().Split(' ')[1]);
                return;
            }

            await context.Response.WriteAsync(context.Request.Path.ToString());
        }));
        var client = Client(Sockets(), inside: new Inside((request, send) =>
        {
            request.Headers.Authorization = new("Bearer", s_user.Value);
            return send(request);
        }));

        var callers = await Start(2, i => SendAs(i == 0 ? "alice" : "bob", () => client.GetAsync(server.At("/me"))));
        Gate.Open();

        Assert.Equal(["/users/alice", "/users/bob"], await Bodies(callers));
    }

    [Fact]
    public async Task Vary_HeaderAddedToACloneByAHandlerInside_IsNotShared()
    {
        using var upstream = new Upstream(Gate, sent =>
        {
            var response = Ok(sent.Header("Accept-Language")!);
            response.Headers.Add("Vary", "Accept-Language");
            return response;
        });
        var client = Client(upstream, inside: new Inside((request, send) =>
        {
            // As handlers do that may send several times.
            var clone = Get(request.RequestUri, ("Accept-Language", s_user.Value!));
            return send(clone);
        }));

        var callers = await Start(2, i => SendAs(i == 0 ? "en" : "de", () => client.GetAsync(Address)));
        Gate.Open();

        Assert.Equal(["en", "de"], await Bodies(callers));
    }

    [Fact]
    public async Task Trailers_OfOneClientOnly_AreNotShared()
    {
        var server = Serve(new RawServer(async connection =>
        {
            await Gate.Opened;
            await connection.WriteAsync($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nAuthentication-Info: nextnonce=\"alice\"\r\n\r\n");
        }));
        var client = Client(Sockets());

        var callers = await Start(2, _ => client.GetAsync(server.Address));
        Gate.Open();
        await Bodies(callers);

        Assert.Equal(2, server.Calls);
    }

    [Fact]
    public async Task RequestUri_FragmentsDiffer_EachKeepsItsOwn()
    {
        using var upstream = new Upstream(Gate, _ => Ok("x"));
        var client = Client(upstream);

        var callers = await Start(2, i => client.GetAsync(new Uri(Address, i == 0 ? "#token=alice" : "#token=bob")));
        Gate.Open();
        using var first = await callers[0];
        using var second = await callers[1];

        Assert.Equal(1, upstream.Calls);
        Assert.Equal("#token=alice", first.RequestMessage!.RequestUri!.Fragment);
        Assert.Equal("#token=bob", second.RequestMessage!.RequestUri!.Fragment);
    }

    [Fact]
    public async Task RequestUri_HandlerInsideAddsAQueryTokenToTheLeaders_FollowerDoesNotSeeIt()
    {
        using var upstream = new Upstream(Gate, sent => Ok(sent.Uri.Query));
        var client = Client(upstream, inside: new Inside((request, send) =>
        {
            request.RequestUri = new Uri(request.RequestUri!, "?access_token=" + s_user.Value);
            return send(request);
        }));

        var callers = await Start(2, i => SendAs(i == 0 ? "alice" : "bob", () => client.GetAsync(Address)));
        Gate.Open();

        Assert.Equal(["?access_token=alice", "?access_token=bob"], await Bodies(callers));
    }

    private static async Task<HttpResponseMessage> SendAs(string user, Func<Task<HttpResponseMessage>> send)
    {
        s_user.Value = user;
        return await send();
    }
}
