using Microsoft.Extensions.Http.Resilience;
using Polly.Retry;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>The flight sends a request of its own, which says what the leader's said.</summary>
public sealed class SentRequestTests : HttpTest
{
    private static readonly HttpRequestOptionsKey<object> s_mine = new("mine");
    private static readonly HttpRequestOptionsKey<object> s_resilience = new("Resilience.Http.Anything");

    private readonly Upstream _upstream;

    public SentRequestTests() => _upstream = new Upstream(Gate, static _ => Ok("answer"));

    [Fact]
    public async Task Clone_IsWhatTheCallerWrote()
    {
        var client = Client(_upstream, Pipeline(PostOptions()));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Address, "?query#fragment"))
        {
            Version = new Version(2, 0),
            VersionPolicy = HttpVersionPolicy.RequestVersionOrHigher,
            Content = new ByteArrayContent([1, 2, 3]),
        };
        request.With("X-Odd", "a, \"b\" ;;=").With("X-Odd", "second").With("If-None-Match", "not quoted").With("Content-Type", "odd/@@; =");
        request.Options.Set(s_mine, "option");
        request.Options.Set(s_resilience, "internal");
        var callers = await Start(1, _ => client.SendAsync(request));
        Gate.Open();
        await callers[0];

        var sent = Assert.Single(_upstream.Requests);
        Assert.NotSame(request, sent.Message);
        Assert.Equal((request.Method, request.Version, request.VersionPolicy), (sent.Method, sent.Message.Version, sent.Message.VersionPolicy));
        Assert.Equal(request.RequestUri!.PathAndQuery, sent.Uri.PathAndQuery);
        Assert.Equal(["a, \"b\" ;;=", "second"], sent.Headers["X-Odd"]);
        Assert.Equal("not quoted", sent.Header("If-None-Match"));
        Assert.Equal("odd/@@; =", sent.Header("Content-Type"));
        Assert.Equal([1, 2, 3], sent.Body);
        Assert.True(sent.Message.Options.TryGetValue(s_mine, out var mine));
        Assert.Equal("option", mine);
        Assert.False(sent.Message.Options.TryGetValue(s_resilience, out _));
    }

    [Fact]
    public async Task Clone_CarriesTheFlightsContext_AndTheCallersKeepTheirs()
    {
        ResilienceContext? inside = null;
        HttpRequestMessage? property = null;
        using var upstream = new Upstream(sent =>
        {
            inside = sent.Message.GetResilienceContext();
            property = inside!.GetRequestMessage();
            Assert.Same(sent.Message, property);
            return Ok("answer");
        });
        using var invoker = new HttpMessageInvoker(new ResilienceHandler(Pipeline()) { InnerHandler = upstream });
        using var request = Get();
        var own = ResilienceContextPool.Shared.Get(CancellationToken.None);
        request.SetResilienceContext(own);

        await invoker.SendAsync(request, default);

        Assert.NotSame(own, inside);
        Assert.NotSame(request, property);
        Assert.Same(own, request.GetResilienceContext());
        Assert.Same(request, own.GetRequestMessage());
        Assert.Equal(SingleFlightRole.Leader, own.GetSingleFlightResult()?.Role);
        ResilienceContextPool.Shared.Return(own);
    }

    [Fact]
    public async Task Retry_Inside_SendsTheBodyAgainWhole()
    {
        var upstream = new Upstream(static sent => Ok(sent.Text).Status(sent.Number < 3 ? System.Net.HttpStatusCode.BadGateway : System.Net.HttpStatusCode.OK));
        var client = Client(upstream, Pipeline(PostOptions(), inside: static builder => builder.AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            ShouldHandle = static args => new(!args.Outcome.Result!.IsSuccessStatusCode),
            Delay = TimeSpan.Zero,
        })));

        Assert.Equal("the body", await Body(client.SendAsync(Post("the body"))));
        Assert.Equal(["the body", "the body", "the body"], upstream.Requests.Select(static sent => sent.Text));
    }

    [Fact]
    public async Task Caller_ChangesItsRequestWhileItFlies_NothingReachesTheFlight()
    {
        var client = Client(_upstream, Pipeline(PostOptions()));
        using var source = new CancellationTokenSource();
        var request = Post("the body");
        var callers = await Start(2, i => client.SendAsync(i == 0 ? request : Post("the body"), i == 0 ? source.Token : default));
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => callers[0]);
        var sent = Assert.Single(_upstream.Requests);
        request.RequestUri = new Uri("http://elsewhere.test/");
        request.Headers.Add("X-Late", "1");
        request.Content!.Dispose();
        request.Dispose();

        Assert.Equal(Address, sent.Message.RequestUri);
        Assert.False(sent.Message.Headers.Contains("X-Late"));
        Assert.Equal("the body", await sent.Message.Content!.ReadAsStringAsync());
        Gate.Open();
        Assert.Equal("answer", await Body(callers[1]));
    }

    [Fact]
    public async Task Follower_ReusesItsContentAfterwards_ItIsStillItsOwn()
    {
        var client = Client(_upstream, Pipeline(PostOptions()));
        var requests = new[] { Post("the body"), Post("the body") };
        var callers = await Start(2, i => client.SendAsync(requests[i]));
        Gate.Open();
        await Task.WhenAll(callers);

        Assert.Equal("the body", await requests[0].Content!.ReadAsStringAsync());
        Assert.Equal("the body", await requests[1].Content!.ReadAsStringAsync());
    }
}
