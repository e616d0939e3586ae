using Microsoft.Extensions.Http.Resilience;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>
/// One flight inside another: what a handler inside both adds to the request of the inner flight is not on that of the outer one, and concerns
/// the callers of the outer one all the same.
/// </summary>
public sealed class NestedIdentityTests : HttpTest
{
    [Theory]
    [InlineData(false, "GET")]
    [InlineData(true, "GET")]
    [InlineData(false, "POST")]
    [InlineData(true, "POST")]
    public async Task InnerHandler_AddsAnIdentity_CallersOfTheOuterFlightGetTheirOwn(bool isObserved, string method)
    {
        var upstream = new Upstream(Gate, static sent => Ok(sent.Header("X-Tenant")!));
        var client = Nested(upstream, isObserved, new AddingHeader("X-Tenant", static request => request.User()));
        string[] users = ["alice", "bob", "carol"];
        var callers = await Start(3, i => client.SendAsync(Request(method).By(users[i])));
        Gate.Open();

        Assert.Equal(users, await Bodies(callers));
    }

    [Theory]
    [InlineData(false, "GET")]
    [InlineData(true, "GET")]
    [InlineData(false, "POST")]
    [InlineData(true, "POST")]
    public async Task InnerHandler_AddsNothing_CallersOfTheOuterFlightShare(bool isObserved, string method)
    {
        var upstream = new Upstream(Gate, static sent => Ok("answer " + sent.Number));
        var client = Nested(upstream, isObserved);
        var callers = await Start(3, _ => client.SendAsync(Request(method)));
        Gate.Open();

        Assert.Equal(["answer 1", "answer 1", "answer 1"], await Bodies(callers));
    }

    private static HttpRequestMessage Request(string method) => method == "GET" ? Get() : Post("body");

    /// <summary>The inner pipeline has a group of its own, so that only the outer one's events are counted.</summary>
    private HttpClient Nested(Upstream upstream, bool isObserved, params DelegatingHandler[] handlers)
    {
        var options = new HttpSingleFlightStrategyOptions();
        options.Methods.Add(HttpMethod.Post);
        var inner = new ResilienceHandler(new ResiliencePipelineBuilder<HttpResponseMessage>().AddSingleFlight(options).Build());
        return Client(upstream, Pipeline(PostOptions()), inside: [inner, .. handlers, .. isObserved ? [new ShowsSending()] : Array.Empty<DelegatingHandler>()]);
    }
}
