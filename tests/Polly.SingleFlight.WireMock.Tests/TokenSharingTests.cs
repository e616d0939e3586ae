using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Polly.SingleFlight.WireMock.Tests;

/// <summary>Answers that callers share, and answers that they must not, by the journal of a server that is not ours.</summary>
public sealed class TokenSharingTests(WireMockFixture fixture) : WireMockTest(fixture)
{
    [Fact]
    public async Task Send_ThousandCallersInFourRegions_FourCallsAndThousandResponses()
    {
        await using var callers = Callers.Of(Server);

        var answers = await callers.SendAllAsync(1000, static i => TokenRequests.Create(region: RegionOf(i)));

        Assert.Equal(4, await Server.CountAsync(new RequestPattern("/connect/token")));
        foreach (var region in TokenRequests.Regions)
        {
            Assert.Equal(1, await Server.CountAsync(TokenRequests.InRegion(region)));
        }

        Assert.All(answers, static (answer, i) =>
        {
            Assert.Equal(HttpStatusCode.OK, answer.Response?.StatusCode);
            Assert.True(answer.Response?.Headers.CacheControl?.NoStore);
            Assert.Same(answer.Request, answer.Response?.RequestMessage);
            Assert.Contains($"\"{TokenRequests.Business}/{RegionOf(i)}/", answer.Body, StringComparison.Ordinal);
        });
        Assert.Equal(4, answers.Select(static answer => answer.Body).Distinct().Count());
        Assert.Equal(1000, answers.Select(static answer => answer.Response).Distinct(ReferenceEqualityComparer.Instance).Count());
    }

    [Fact]
    public async Task Send_UnavailableTwiceWithRetryInside_ThreeCallsForEverybody()
    {
        await using var callers = Callers.WithRetryOf(Server);

        var answers = await callers.SendAllAsync(100, static _ => TokenRequests.Create("unavailable-twice/connect/token"));

        Assert.All(answers, static answer => Assert.Equal(HttpStatusCode.OK, answer.Response?.StatusCode));
        Assert.All(answers, static answer => Assert.Contains("after two failures", answer.Body, StringComparison.Ordinal));
        Assert.Equal(3, await Server.CountAsync(new RequestPattern("/unavailable-twice/connect/token")));

        // Each attempt carried the whole form.
        var form = new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["business"] = TokenRequests.Business, ["region"] = "Asia" };
        Assert.Equal(3, await Server.CountAsync(new RequestPattern("/unavailable-twice/connect/token") { Form = form }));
    }

    [Fact]
    public async Task Send_AlwaysRefused_OneCallAndTheSameErrorForEverybody()
    {
        const string Path = "invalid-client/connect/token";
        await using var callers = Callers.Of(Server);

        var answers = await callers.SendAllAsync(100, static _ => TokenRequests.Create(Path));

        Assert.Equal(1, await Server.CountAsync(new RequestPattern("/" + Path)));
        Assert.All(answers, static answer => Assert.Equal(HttpStatusCode.BadRequest, answer.Response?.StatusCode));
        Assert.Contains("\"invalid_client\"", Assert.Single(answers.Select(static answer => answer.Body).Distinct()), StringComparison.Ordinal);

        var next = await callers.SendAsync(TokenRequests.Create(Path));
        Assert.Equal(HttpStatusCode.BadRequest, next.Response?.StatusCode);
        Assert.Equal(2, await Server.CountAsync(new RequestPattern("/" + Path)));
    }

    [Fact]
    public async Task Send_SeveralClients_EachClientGetsItsOwn()
    {
        const string Path = "clients/connect/token";
        string[] clients = ["alice:secret of alice", "bob:secret of bob", "bob:a wrong secret"];
        (HttpStatusCode, string)[] expected = [(HttpStatusCode.OK, "token of alice"), (HttpStatusCode.OK, "token of bob"), (HttpStatusCode.Unauthorized, "invalid_client")];
        await using var callers = Callers.Of(Server);

        var answers = await callers.SendAllAsync(99, i =>
        {
            var request = TokenRequests.Create(Path);
            request.Headers.Authorization = Basic(clients[i % clients.Length]);
            return request;
        });

        Assert.All(answers, (answer, i) =>
        {
            var (status, body) = expected[i % clients.Length];
            Assert.Equal(status, answer.Response?.StatusCode);
            Assert.Contains($"\"{body}\"", answer.Body, StringComparison.Ordinal);
        });
        Assert.Equal(clients.Length, await Server.CountAsync(new RequestPattern("/" + Path)));
        foreach (var client in clients)
        {
            var headers = new Dictionary<string, string> { ["Authorization"] = Basic(client).ToString() };
            Assert.Equal(1, await Server.CountAsync(new RequestPattern("/" + Path) { Headers = headers }));
        }
    }

    private static string RegionOf(int caller) => TokenRequests.Regions[caller % TokenRequests.Regions.Length];

    private static AuthenticationHeaderValue Basic(string client) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(client)));
}
