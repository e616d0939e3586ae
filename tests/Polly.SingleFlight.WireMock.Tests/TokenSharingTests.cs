using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Polly.SingleFlight.WireMock.Tests;

/// <summary>Answers that callers share, and answers that they must not, by the count of a server that is not ours.</summary>
public sealed class TokenSharingTests : WireMockTest
{
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Send_ThousandCallersInFourRegions_FourCallsAndThousandResponses(string version)
    {
        var server = Start(version);
        server.AnswerTokens();
        await using var callers = new Callers(server);

        var answers = await callers.SendAllAsync(1000, static i => TokenRequests.Create(TokenRequests.RegionOf(i)));

        Assert.Equal(4, server.Arrivals.Count);
        Assert.Equal(4, server.Arrivals.Select(static arrival => arrival.Body).Distinct().Count());
        Assert.All(answers, (answer, i) =>
        {
            Assert.Equal(HttpStatusCode.OK, answer.Response?.StatusCode);
            Assert.Equal(server.Version, answer.Response?.Version);
            Assert.True(answer.Response?.Headers.CacheControl?.NoStore);
            Assert.Same(answer.Request, answer.Response?.RequestMessage);
            Assert.Contains($"\"{TokenRequests.Business}/{TokenRequests.RegionOf(i)}/", answer.Body, StringComparison.Ordinal);
        });
        Assert.Equal(4, answers.Select(static answer => answer.Body).Distinct().Count());
        Assert.Equal(1000, answers.Select(static answer => answer.Response).Distinct(ReferenceEqualityComparer.Instance).Count());
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Send_ThousandCallersWithoutSingleFlight_ThousandCallsAtOnce(string version)
    {
        var server = Start(version);
        server.AnswerTokens();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = true })
        {
            BaseAddress = server.Address,
        };

        var calls = Enumerable.Range(0, 1000).Select(_ =>
        {
            var request = TokenRequests.Create();
            request.Version = server.Version;
            request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
            return http.SendAsync(request);
        }).ToArray();
        await server.Probe.Reached(TokenServer.Arrived, 1000);
        server.Gate.Open();

        Assert.All(await Task.WhenAll(calls).Soon(), static response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        Assert.Equal(1000, server.Arrivals.Count);
    }

    [Fact]
    public async Task Send_AlwaysRefused_OneCallAndTheSameErrorForEverybody()
    {
        var server = Start();
        server.AnswerAlways(400, new { error = "invalid_client", error_description = "the client is not known here" });
        await using var callers = new Callers(server);

        var answers = await callers.SendAllAsync(100, static _ => TokenRequests.Create());

        Assert.Single(server.Arrivals);
        Assert.All(answers, static answer => Assert.Equal(HttpStatusCode.BadRequest, answer.Response?.StatusCode));
        Assert.Contains("\"invalid_client\"", Assert.Single(answers.Select(static answer => answer.Body).Distinct()), StringComparison.Ordinal);

        var next = await callers.SendAsync(TokenRequests.Create());
        Assert.Equal(HttpStatusCode.BadRequest, next.Response?.StatusCode);
        Assert.Equal(2, server.Arrivals.Count);
    }

    [Fact]
    public async Task Send_UnknownRegionAmongOthers_RefusedOnceAndTheOthersHaveTokens()
    {
        var server = Start();
        server.AnswerTokens();
        await using var callers = new Callers(server);

        var answers = await callers.SendAllAsync(100, static i => TokenRequests.Create(IsUnknown(i) ? "Atlantis" : "Asia"));

        Assert.Equal(2, server.Arrivals.Count);
        Assert.All(answers, static (answer, i) =>
        {
            Assert.Equal(IsUnknown(i) ? HttpStatusCode.BadRequest : HttpStatusCode.OK, answer.Response?.StatusCode);
            Assert.Contains(IsUnknown(i) ? "\"invalid_request\"" : $"\"{TokenRequests.Business}/Asia/", answer.Body, StringComparison.Ordinal);
        });

        static bool IsUnknown(int caller) => caller % 2 == 1;
    }

    [Fact]
    public async Task Send_SeveralClients_EachClientGetsItsOwn()
    {
        AuthenticationHeaderValue[] clients = [Basic("alice:secret of alice"), Basic("bob:secret of bob"), Basic("bob:a wrong secret")];
        var server = Start();
        server.AnswerClient($"{clients[0]}", "token of alice");
        server.AnswerClient($"{clients[1]}", "token of bob");
        server.AnswerAlways(401, new { error = "invalid_client" });
        (HttpStatusCode, string)[] expected =
        [
            (HttpStatusCode.OK, "\"token of alice\""),
            (HttpStatusCode.OK, "\"token of bob\""),
            (HttpStatusCode.Unauthorized, "\"invalid_client\""),
        ];
        await using var callers = new Callers(server);

        var answers = await callers.SendAllAsync(99, i =>
        {
            var request = TokenRequests.Create();
            request.Headers.Authorization = clients[i % clients.Length];
            return request;
        });

        Assert.All(answers, (answer, i) =>
        {
            var (status, body) = expected[i % clients.Length];
            Assert.Equal(status, answer.Response?.StatusCode);
            Assert.Contains(body, answer.Body, StringComparison.Ordinal);
        });
        Assert.Equal(
            clients.Select(static client => $"{client}").Order(),
            server.Arrivals.Select(static arrival => arrival.Authorization!).Order());
    }

    [Fact]
    public async Task Send_FieldsInAnotherOrder_OneCall()
    {
        var server = Start();
        server.AnswerTokens();
        await using var callers = new Callers(server);

        var answers = await callers.SendAllAsync(10, static i => i % 2 == 0
            ? TokenRequests.Create()
            : TokenRequests.Create(("region", "Asia"), ("business", TokenRequests.Business), ("grant_type", "client_credentials")));

        Assert.Single(server.Arrivals);
        Assert.Single(answers.Select(static answer => answer.Body).Distinct());
    }

    [Fact]
    public async Task Send_OtherGrant_EverybodyCalls()
    {
        var server = Start();
        server.AnswerTokens();
        await using var callers = new Callers(server);

        var calls = Enumerable.Range(0, 10).Select(_ => callers.SendAsync(TokenRequests.Create(
            ("grant_type", "authorization_code"), ("code", "once"), ("business", TokenRequests.Business), ("region", "Asia")))).ToArray();
        await server.Probe.Reached(TokenServer.Arrived, 10);
        server.Gate.Open();

        var answers = await Task.WhenAll(calls).Soon();
        Assert.Equal(10, answers.Select(static answer => answer.Body).Distinct().Count());
        Assert.Equal(10, server.Probe[Callers.Bypassed]);
    }

    private static AuthenticationHeaderValue Basic(string client) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(client)));
}
