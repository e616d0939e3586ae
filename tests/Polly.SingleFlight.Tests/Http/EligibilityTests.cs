using System.Net.Http.Json;
using System.Text;
using Microsoft.Extensions.Http.Resilience;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>Which requests never join, and go on untouched.</summary>
public sealed class EligibilityTests : HttpTest
{
    private static readonly Dictionary<string, (Func<HttpRequestMessage> Make, BypassReason Reason)> s_ineligible = new()
    {
        ["PUT"] = (static () => new(HttpMethod.Put, Address) { Content = new StringContent("x") }, BypassReason.Method),
        ["POST that is not opted in"] = (static () => Post("x"), BypassReason.Method),
        ["DELETE"] = (static () => new(HttpMethod.Delete, Address), BypassReason.Method),
        ["OPTIONS"] = (static () => new(HttpMethod.Options, Address), BypassReason.Method),
        ["Upgrade"] = (static () => Get().With("Upgrade", "websocket"), BypassReason.Header),
        ["Expect"] = (static () => Get().With("Expect", "100-continue"), BypassReason.Header),
        ["DPoP"] = (static () => Get().With("dpop", "proof"), BypassReason.Header),
        ["no-store"] = (static () => Get().With("Cache-Control", "no-store"), BypassReason.Header),
        ["no-store among others"] = (static () => Get().With("cache-control", "max-age=0, No-Store"), BypassReason.Header),
        ["no-store in a second header"] = (static () => Get().With("Cache-Control", "max-age=0").With("Cache-Control", "no-store"), BypassReason.Header),
        ["event stream"] = (static () => Get().With("Accept", "text/event-stream"), BypassReason.Header),
        ["event stream among others"] = (static () => Get().With("Accept", "application/json, Text/Event-Stream;q=0.5"), BypassReason.Header),
        ["event stream in a second header"] = (static () => Get().With("Accept", "text/html").With("Accept", "text/event-stream"), BypassReason.Header),
        ["disabled"] = (static () => Disabled(Get()), BypassReason.OptedOut),
        ["GET with a body"] = (static () => new(HttpMethod.Get, Address) { Content = new StringContent("x") }, BypassReason.UnexpectedBody),
        ["HEAD with a body"] = (static () => new(HttpMethod.Head, Address) { Content = new StringContent("x") }, BypassReason.UnexpectedBody),
    };

    private static readonly Dictionary<string, (Func<HttpRequestMessage> Make, BypassReason Reason)> s_ineligiblePosts = new()
    {
        ["gRPC"] = (static () => Typed("application/grpc"), BypassReason.Header),
        ["gRPC with a format"] = (static () => Typed("application/grpc+proto"), BypassReason.Header),
        ["gRPC web"] = (static () => Typed("application/grpc-web"), BypassReason.Header),
        ["stream"] = (static () => new(HttpMethod.Post, Address) { Content = new StreamContent(new MemoryStream("x"u8.ToArray())) }, BypassReason.UnbufferedBody),
        ["unknown length"] = (static () => new(HttpMethod.Post, Address) { Content = new PieceContent([new("x"u8.ToArray())]) }, BypassReason.UnbufferedBody),
        ["serialised on the way"] = (static () => new(HttpMethod.Post, Address) { Content = JsonContent.Create("x") }, BypassReason.UnbufferedBody),
        ["too large"] = (static () => Post(new string('x', 101)), BypassReason.BodyTooLarge),
        ["much too large"] = (static () => Post(new string('x', 100_000)), BypassReason.BodyTooLarge),
        ["disabled"] = (static () => Disabled(Post("x")), BypassReason.OptedOut),
        ["no-store"] = (static () => Post("x").With("Cache-Control", "no-store"), BypassReason.Header),
    };

    private static readonly Dictionary<string, Func<HttpRequestMessage>> s_eligiblePosts = new()
    {
        ["text"] = static () => Post("x"),
        ["largest"] = static () => Post(new string('x', 100)),
        ["bytes"] = static () => new(HttpMethod.Post, Address) { Content = new ByteArrayContent([1, 2, 3], 1, 1) },
        ["memory"] = static () => new(HttpMethod.Post, Address) { Content = new ReadOnlyMemoryContent("x"u8.ToArray()) },
        ["form"] = static () => new(HttpMethod.Post, Address) { Content = new FormUrlEncodedContent([new("a", "b")]) },
        ["empty"] = static () => Post(""),
        ["none"] = static () => new(HttpMethod.Post, Address),
    };

    public static TheoryData<string> Ineligible => [.. s_ineligible.Keys];

    public static TheoryData<string> IneligiblePosts => [.. s_ineligiblePosts.Keys];

    public static TheoryData<string> EligiblePosts => [.. s_eligiblePosts.Keys];

    [Theory]
    [MemberData(nameof(Ineligible))]
    public Task Request_OfAKindThatNeverJoins_GoesOnUntouched(string kind) => GoesOnUntouched(s_ineligible[kind].Make, Options(), s_ineligible[kind].Reason);

    [Theory]
    [MemberData(nameof(IneligiblePosts))]
    public Task OptedInPost_OfAKindThatNeverJoins_GoesOnUntouched(string kind)
    {
        var options = PostOptions();
        options.MaxRequestBodyBytes = 100;
        return GoesOnUntouched(s_ineligiblePosts[kind].Make, options, s_ineligiblePosts[kind].Reason);
    }

    [Theory]
    [MemberData(nameof(EligiblePosts))]
    public async Task OptedInPost_BodyInMemory_IsSharedAndSentAsItWas(string kind)
    {
        var options = PostOptions();
        options.MaxRequestBodyBytes = 100;
        var upstream = new Upstream(Gate, static _ => Ok("shared"));
        var client = Client(upstream, Pipeline(options));
        var callers = await Start(client, 3, s_eligiblePosts[kind]);
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("shared", body));
        var sent = Assert.Single(upstream.Requests);
        using var original = s_eligiblePosts[kind]();
        Assert.Equal(original.Content is null ? [] : await original.Content.ReadAsByteArrayAsync(), sent.Body);
        Assert.Equal(original.Content?.Headers.ContentType?.ToString(), sent.Header("Content-Type"));
        Assert.All(callers, caller => Assert.NotSame(sent.Message, caller.Result.RequestMessage));
    }

    [Fact]
    public async Task MaxRequestBodyBytes_Zero_OnlyEmptyBodiesJoin()
    {
        var options = PostOptions();
        options.MaxRequestBodyBytes = 0;
        var upstream = new Upstream(static _ => Ok("x"));
        var client = Client(upstream, Pipeline(options));
        await client.SendAsync(Post("x"));
        Assert.Equal(0, Probe[Started]);
        await client.SendAsync(Post(""));

        Assert.Equal(1, Probe[Started]);
    }

    [Fact]
    public async Task MultipartWithAStream_IsSentAsItWas()
    {
        var upstream = new Upstream(static sent => Ok(sent.Text));
        var client = Client(upstream, Pipeline(PostOptions()));
        using var content = new MultipartFormDataContent("boundary") { { new StreamContent(new MemoryStream("file"u8.ToArray())), "name" } };

        var answer = await Body(client.SendAsync(new(HttpMethod.Post, Address) { Content = content }));

        Assert.Contains("file", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CustomSets_Replaced_AreObeyed()
    {
        var upstream = new Upstream(static _ => Ok("x"));
        var client = Client(upstream, Pipeline(Options(static options =>
        {
            options.BypassHeaders.Clear();
            options.BypassHeaders.Add("X-Alone");
            options.Methods.Clear();
            options.Methods.Add(new HttpMethod("REPORT"));
        })));
        await client.SendAsync(Get());
        await client.SendAsync(new HttpRequestMessage(new HttpMethod("REPORT"), Address).With("x-alone", "1"));
        Assert.Equal((0, 2), (Probe[Started], Probe[Bypassed]));
        await client.SendAsync(new HttpRequestMessage(new HttpMethod("REPORT"), Address).With("Expect", "x"));

        Assert.Equal((1, 2), (Probe[Started], Probe[Bypassed]));
    }

    [Fact]
    public async Task Context_HoldsNoRequest_Bypasses()
    {
        var pipeline = Pipeline();
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);

        using var response = await pipeline.ExecuteAsync(static _ => new ValueTask<HttpResponseMessage>(Ok("x")), context);

        Assert.Equal("x", await response.Content.ReadAsStringAsync());
        Assert.Equal((0, 1), (Probe[Started], Probe[Bypassed]));
        Assert.Equal(SingleFlightRole.Bypassed, context.GetSingleFlightResult()?.Role);
        ResilienceContextPool.Shared.Return(context);
    }

    private static HttpRequestMessage Disabled(HttpRequestMessage request)
    {
        request.DisableSingleFlight();
        return request;
    }

    private static HttpRequestMessage Typed(string type) =>
        new(HttpMethod.Post, Address) { Content = new StringContent("x", Encoding.UTF8, type) };

    private async Task GoesOnUntouched(Func<HttpRequestMessage> make, HttpSingleFlightStrategyOptions options, BypassReason reason)
    {
        var content = new PieceContent([new("answer"u8.ToArray())]);
        HttpContent? requestContent = null;
        var upstream = new Upstream(sent =>
        {
            Assert.Same(requestContent, sent.Message.Content);
            return Ok(sent.Number == 1 ? content : new StringContent("answer"));
        });
        using var invoker = new HttpMessageInvoker(new ResilienceHandler(Pipeline(options)) { InnerHandler = upstream });
        using var request = make();
        requestContent = request.Content;

        using var response = await invoker.SendAsync(request, default);

        Assert.Same(request, upstream.Requests[0].Message);
        Assert.Same(content, response.Content);
        Assert.Equal((0, 1), (Probe[Started], Probe[Bypassed]));
        Assert.Equal([reason], Reasons);
    }
}
