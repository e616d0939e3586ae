using System.Net.Http.Headers;
using Microsoft.Extensions.Http.Resilience;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>A handler inside the pipeline sends what the key knows nothing of.</summary>
public sealed class IdentityGuardTests : HttpTest
{
    private const string Event = "OnIdentityGuard";

    private readonly RecordingListener _listener = new();

    [Theory]
    [InlineData("Authorization")]
    [InlineData("Proxy-Authorization")]
    [InlineData("Cookie")]
    [InlineData("DPoP")]
    [InlineData("X-Api-Key")]
    [InlineData("Api-Key")]
    public async Task InnerHandler_AddsCredentials_EverybodyGetsItsOwnAnswer(string header)
    {
        var upstream = new Upstream(Gate, sent => Ok(sent.Header(header)!));
        var client = Client(upstream, Pipeline(listener: _listener), inside: new AddingHeader(header, static request => request.User()));
        string[] users = ["alice", "bob", "alice", "carol"];
        var callers = await Start(4, i => client.SendAsync(Get().By(users[i])));

        Gate.Open();

        Assert.Equal(users, await Bodies(callers));
        Assert.Equal(4, upstream.Calls);
        var report = Assert.Single(_listener.Reports, static report => report.Name == Event);
        Assert.Equal(Polly.Telemetry.ResilienceEventSeverity.Warning, report.Severity);
        Assert.False(report.HasOutcome);
    }

    [Fact]
    public async Task InnerHandler_AddsCredentialsAgain_IsReportedOncePerStrategy()
    {
        var upstream = new Upstream(async (sent, token) =>
        {
            await Gate.Opened.WaitAsync(token);
            return Ok("x");
        });
        var client = Client(upstream, Pipeline(listener: _listener), inside: new AddingHeader("Authorization", static _ => "Bearer x"));
        var one = await Start(client, 3);
        var two = await Start(client, 3, static () => Get(new Uri(Address, "?other")));
        Gate.Open();
        await Task.WhenAll([.. one, .. two]);

        Assert.Equal(6, upstream.Calls);
        Assert.Equal(1, _listener.Count(Event));
    }

    [Fact]
    public async Task InnerHandler_ReplacesCredentialsOfTheKey_IsGuardedToo()
    {
        var upstream = new Upstream(Gate, static sent => Ok(sent.Header("Authorization")!));
        var client = Client(upstream, inside: new AddingHeader("Authorization", static request => "Bearer " + request.User()));
        string[] users = ["alice", "bob"];
        var callers = await Start(2, i => client.SendAsync(Get(null, ("Authorization", "Bearer same")).By(users[i])));
        Gate.Open();

        Assert.Equal(["Bearer alice", "Bearer bob"], await Bodies(callers));
    }

    [Fact]
    public async Task ResponsesRequest_CarriesCredentialsTheSentOneDoesNot_IsGuarded()
    {
        var upstream = new Upstream(Gate, static sent =>
        {
            var response = Ok("answer " + sent.Number);
            response.RequestMessage = Get(null, ("Authorization", "Bearer added on a copy"));
            return response;
        });
        var client = Client(upstream);
        var callers = await Start(client, 3);
        Gate.Open();

        Assert.Equal(["answer 1", "answer 2", "answer 3"], (await Bodies(callers)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task OuterHandler_AddedCredentials_AreInTheKeyAndShared()
    {
        var upstream = new Upstream(Gate, static sent => Ok(sent.Header("Authorization")!));
        using var handler = new AddingHeader("Authorization", static request => "Bearer " + request.User())
        {
            InnerHandler = new ResilienceHandler(Pipeline(listener: _listener)) { InnerHandler = upstream },
        };
        var client = PlainClient(handler);
        var callers = Enumerable.Range(0, 10).Select(i => client.SendAsync(Get().By(i % 2 == 0 ? "alice" : "bob"))).ToArray();
        await Probe.Reached(Joined, 8);
        Gate.Open();

        var bodies = await Bodies(callers);
        Assert.All(bodies.Select(static (item, index) => (Index: index, Item: item)), static body => Assert.Equal(body.Index % 2 == 0 ? "Bearer alice" : "Bearer bob", body.Item));
        Assert.Equal(2, upstream.Calls);
        Assert.Equal(0, _listener.Count(Event));
    }

    [Fact]
    public async Task GuardCredentials_Off_InnerCredentialsAreTheUsersBusiness()
    {
        var upstream = new Upstream(Gate, static sent => Ok(sent.Header("Authorization")!));
        var client = Client(
            upstream,
            Pipeline(Options(static options => options.GuardCredentials = false), listener: _listener),
            inside: new AddingHeader("Authorization", static _ => "Bearer service"));
        var callers = await Start(client, 5);
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("Bearer service", body));
        Assert.Equal(1, upstream.Calls);
        Assert.Equal(0, _listener.Count(Event));
    }

    [Fact]
    public async Task DefaultRequestHeaders_OfTheClient_AreInTheKey()
    {
        var upstream = new Upstream(Gate, static sent => Ok(sent.Header("Authorization")!));
        var pipeline = Pipeline(listener: _listener);
        var (alice, bob) = (Client(upstream, pipeline, disposeHandler: false), Client(upstream, pipeline));
        alice.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "alice");
        bob.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "bob");
        var callers = new[] { alice, bob, alice, bob }.Select(static client => client.SendAsync(Get())).ToArray();
        await Probe.Reached(Joined, 2);
        Gate.Open();

        Assert.Equal(["Bearer alice", "Bearer bob", "Bearer alice", "Bearer bob"], await Bodies(callers));
        Assert.Equal(2, upstream.Calls);
    }
}
