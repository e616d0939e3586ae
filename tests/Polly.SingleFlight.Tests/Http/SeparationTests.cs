using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>Requests that differ are sent separately, and nothing crosses.</summary>
public sealed class SeparationTests : HttpTest
{
    [Theory]
    [InlineData("Authorization", "Bearer alice", "Bearer bob")]
    [InlineData("Cookie", "session=alice", "session=bob")]
    [InlineData("X-Tenant", "alice", "bob")]
    [InlineData("Accept", "application/json", "application/xml")]
    [InlineData("Accept-Language", "de", "en")]
    [InlineData("If-None-Match", "\"1\"", "\"2\"")]
    [InlineData("Range", "bytes=0-1", "bytes=2-3")]
    [InlineData("X-Tenant", "alice", null)]
    public async Task Header_TwoValues_AreTwoCallsAndNothingCrosses(string name, string one, string? two)
    {
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            await Gate.Opened;
            await context.Response.WriteAsync(context.Request.Headers[name].ToString());
        }));
        var client = Client(Sockets());
        var callers = Enumerable.Range(0, 10).Select(i =>
        {
            var value = i % 2 == 0 ? one : two;
            return client.SendAsync(value is null ? Get(server.Address) : Get(server.Address, (name, value)));
        }).ToArray();
        await Probe.Reached(Started, 2);
        await Probe.Reached(Joined, 8);

        Gate.Open();

        var bodies = await Bodies(callers);
        Assert.Equal(2, server.Calls);
        Assert.All(bodies.Select(static (item, index) => (Index: index, Item: item)), body => Assert.Equal(body.Index % 2 == 0 ? one : two ?? "", body.Item));
    }

    [Fact]
    public async Task Requests_DifferInOneAspect_AreCallsOfTheirOwn()
    {
        var upstream = new Upstream(Gate, static sent => Ok($"{sent.Method} {sent.Uri} {sent.Message.Version} {sent.Message.VersionPolicy} {sent.Text}"));
        var client = Client(upstream, Pipeline(PostOptions()));
        Func<HttpRequestMessage>[] requests =
        [
            static () => Get(),
            static () => Get(new Uri(Address, "?query")),
            static () => Get(new Uri(Address, "RESOURCE")),
            static () => Get(new Uri("https://upstream.test/resource")),
            static () => Get(new Uri("http://upstream.test:8080/resource")),
            static () => new(HttpMethod.Head, Address),
            static () => new(HttpMethod.Get, Address) { Version = new Version(2, 0) },
            static () => new(HttpMethod.Get, Address) { VersionPolicy = HttpVersionPolicy.RequestVersionExact },
            static () => Post("one"),
            static () => Post("two"),
        ];
        var callers = requests.Concat(requests).Select(request => client.SendAsync(request())).ToArray();
        await Probe.Reached(Joined, requests.Length);
        Gate.Open();

        var bodies = await Bodies(callers);
        Assert.Equal(requests.Length, upstream.Calls);
        Assert.Equal(requests.Length, bodies.Distinct().Count());
        Assert.Equal(bodies[..requests.Length], bodies[requests.Length..]);
    }

    [Theory]
    [InlineData("traceparent")]
    [InlineData("tracestate")]
    [InlineData("baggage")]
    [InlineData("Correlation-Context")]
    [InlineData("REQUEST-ID")]
    [InlineData("X-Request-Id")]
    [InlineData("X-Correlation-Id")]
    [InlineData("x-ms-client-request-id")]
    public async Task ExcludedHeader_AnyValue_IsOneCall(string name)
    {
        var upstream = new Upstream(Gate, static _ => Ok("shared"));
        var client = Client(upstream);
        var callers = await Start(5, i => client.SendAsync(Get(null, (name, "value" + i))));
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("shared", body));
        Assert.Equal("value0", Assert.Single(upstream.Requests).Header(name));
    }

    [Fact]
    public async Task Fragment_Differs_IsOneCall()
    {
        var upstream = new Upstream(Gate, static _ => Ok("shared"));
        var client = Client(upstream);
        var callers = await Start(3, i => client.SendAsync(Get(new Uri(Address, "#part" + i))));
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("shared", body));
        Assert.Equal(1, upstream.Calls);
    }

    [Fact]
    public async Task Pipelines_ShareAGroupOrNot_DecidesWhetherTheyShare()
    {
        var upstream = new Upstream(Gate, static _ => Ok("shared"));
        var (one, other) = (Client(upstream, disposeHandler: false), Client(upstream, disposeHandler: false));
        var alone = Client(upstream, new ResiliencePipelineBuilder<HttpResponseMessage>().AddSingleFlight().Build());
        var callers = await Start(2, i => (i == 0 ? one : other).SendAsync(Get()));

        var apart = alone.SendAsync(Get());
        await upstream.Received(2);
        Gate.Open();

        Assert.All(await Bodies([.. callers, apart]), static body => Assert.Equal("shared", body));
        Assert.Equal(2, upstream.Calls);
    }

    [Fact]
    public async Task Group_ComparerThatTakesAllForEqual_IsNotAskedAboutGeneratedKeys()
    {
        Group = new SingleFlightGroup(new AllEqual());
        var upstream = new Upstream(Gate, static sent => Ok(sent.Uri.Query));
        var client = Client(upstream);
        var callers = new[] { client.SendAsync(Get(new Uri(Address, "?a"))), client.SendAsync(Get(new Uri(Address, "?b"))) };
        await upstream.Received(2);
        Gate.Open();

        Assert.Equal(["?a", "?b"], await Bodies(callers));
    }

    private sealed class AllEqual : IEqualityComparer<object>
    {
        public new bool Equals(object? x, object? y) => true;

        public int GetHashCode(object obj) => 1;
    }
}
