using System.Net;
using Microsoft.AspNetCore.Http;
using Polly.Retry;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>
/// The scenarios that HTTP sharing is specified by, and where each is tested:
/// <code>
/// 1000 token requests over 4 regions, no-store       here
/// 503, 503, 200 with retry inside, 100 callers       here
/// always 400                                         here
/// leader times out and disposes all it has           DepartureTests
/// all cancel: the server sees the abort              DepartureTests
/// two values of a header: separate calls             SeparationTests
/// delimiter confusion in the key                     KeyPropertyTests
/// inner auth handler trips the guard                 IdentityGuardTests
/// Set-Cookie: everybody calls, at the same time      UnshareableTests
/// unshareable headers with a slow body               UnshareableTests
/// one byte over the cap, gzip bomb                   BodyLimitTests, Security/HostileBodyTests
/// event stream: headers at once                      StreamingTests
/// connection cut mid-body                            BrokenBodyTests
/// redirect, trailers, odd headers, reason: parity    ParityTests
/// PUT then GET while an older GET is held            UnsafeMethodTests
/// handler rotation                                   HandlerTests
/// HttpClient.Send mixed with SendAsync               HandlerTests
/// telemetry holds no secret, URL or key              Security/DisclosureTests
/// </code>
/// </summary>
public sealed class ScenarioTests : HttpTest
{
    private static readonly string[] s_regions = ["asia", "europe", "africa", "america"];

    [Fact]
    public async Task TokenRequests_ThousandCallersOfFourRegions_AreFourCalls()
    {
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            var form = await context.Request.ReadFormAsync();
            await Gate.Opened;
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.WriteAsync("token for " + form["region"]);
        }));
        var client = Client(Sockets(), Pipeline(Watched(HttpSingleFlightStrategyOptions.ForTokenEndpoint())));
        var requests = Enumerable.Range(0, 1000).Select(i => new HttpRequestMessage(HttpMethod.Post, server.Address)
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("region", s_regions[i % 4])]),
        }).ToArray();

        var callers = requests.Select(request => client.SendAsync(request)).ToArray();
        await Probe.Reached(Started, 4);
        await Probe.Reached(Joined, 996);
        Gate.Open();
        var responses = await Task.WhenAll(callers).Soon();

        Assert.Equal(4, server.Calls);
        Assert.Equal(1000, responses.Distinct(ReferenceEqualityComparer.Instance).Count());
        for (var i = 0; i < responses.Length; i++)
        {
            Assert.Same(requests[i], responses[i].RequestMessage);
            Assert.Equal("token for " + s_regions[i % 4], await responses[i].Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task RetryInside_HundredCallersOfAnUnavailableServer_IsOneLoopForAll()
    {
        var calls = 0;
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            await Gate.Opened;
            context.Response.StatusCode = Interlocked.Increment(ref calls) < 3 ? 503 : 200;
            await context.Response.WriteAsync("call " + calls);
        }));
        var client = Client(Sockets(), Pipeline(inside: static builder => builder.AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            ShouldHandle = static args => new(args.Outcome.Result?.StatusCode == HttpStatusCode.ServiceUnavailable),
            Delay = TimeSpan.Zero,
        })));

        var callers = await Start(client, 100, () => Get(server.Address));
        Gate.Open();
        var responses = await Task.WhenAll(callers);

        Assert.Equal(3, server.Calls);
        Assert.All(responses, static response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        Assert.All(await Bodies(callers), static body => Assert.Equal("call 3", body));
    }

    [Fact]
    public async Task BadRequest_ManyCallers_ShareTheErrorAndTheNextCallGoesUpstream()
    {
        var calls = 0;
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            var call = Interlocked.Increment(ref calls);
            await Gate.Opened;
            context.Response.StatusCode = 400;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync($$"""{"error":"unsupported_region","call":{{call}}}""");
        }));
        var client = Client(Sockets());

        var callers = await Start(client, 20, () => Get(server.Address));
        Gate.Open();

        foreach (var caller in callers)
        {
            var response = await caller;
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
            Assert.Equal("""{"error":"unsupported_region","call":1}""", await response.Content.ReadAsStringAsync());
        }

        Assert.Equal(1, server.Calls);
        Assert.Equal("""{"error":"unsupported_region","call":2}""", await Body(client.GetAsync(server.Address)));
    }
}
