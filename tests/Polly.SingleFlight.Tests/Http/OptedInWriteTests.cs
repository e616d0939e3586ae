using System.Net;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>
/// A write is a request and not a method: where POST is opted in for queries, a POST that is sent alone, for whatever reason, makes
/// its readers start afresh.
/// </summary>
public sealed class OptedInWriteTests : HttpTest
{
    private static readonly Dictionary<string, Func<HttpRequestMessage>> s_writes = new()
    {
        ["disabled"] = static () =>
        {
            var request = Post("mutation");
            request.DisableSingleFlight();
            return request;
        },
        ["stream"] = static () => new(HttpMethod.Post, Address) { Content = new StreamContent(new MemoryStream("mutation"u8.ToArray())) },
        ["unknown length"] = static () => new(HttpMethod.Post, Address) { Content = new PieceContent([new("mutation"u8.ToArray())]) },
        ["too large"] = static () => Post(new string('m', 1001)),
        ["no-store"] = static () => Post("mutation").With("Cache-Control", "no-store"),
        ["upgrade"] = static () => Post("mutation").With("Upgrade", "x"),
        ["gRPC"] = static () => new(HttpMethod.Post, Address) { Content = new StringContent("mutation", null, "application/grpc") },
        ["put"] = static () => new(HttpMethod.Put, Address) { Content = new StringContent("mutation") },
        ["no key"] = static () => Post("mutation").By(""),
    };

    public static TheoryData<string> Writes => [.. s_writes.Keys];

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task Write_SentAlone_LaterQueriesStartAfreshBeforeAndAfterItEnds(string kind)
    {
        var write = new Gate();
        var upstream = new Upstream(async (sent, token) =>
        {
            await (sent.Text == "query" ? Gate : write).Opened.WaitAsync(token);
            return Ok("answer " + sent.Number);
        });
        var options = PostOptions();
        options.MaxRequestBodyBytes = 1000;
        options.Discriminator = static request => request.User() ?? "everybody";
        var client = Client(upstream, Pipeline(options));
        var old = await Start(client, 2, static () => Post("query"));
        var writing = client.SendAsync(s_writes[kind]());
        await upstream.Received(2);

        var during = await Start(client, 2, static () => Post("query"));
        await upstream.Received(3);
        write.Open();
        Assert.Equal("answer 2", await Body(writing));
        var after = await Start(client, 2, static () => Post("query"));
        await upstream.Received(4);
        Gate.Open();

        Assert.Equal(["answer 1", "answer 1"], await Bodies(old));
        Assert.Equal(["answer 3", "answer 3"], await Bodies(during));
        Assert.Equal(["answer 4", "answer 4"], await Bodies(after));
    }

    [Fact]
    public async Task Write_OfAFollowerThatIsSentAwayByItsFlight_ForgetsToo()
    {
        var second = new Gate();
        var upstream = new Upstream(async (sent, token) =>
        {
            await (sent.Text == "read" ? new Gate() : sent.Number <= 2 ? Gate : second).Opened.WaitAsync(token);
            return Ok("answer").With("Set-Cookie", "a=b");
        });
        var client = Client(upstream, Pipeline(PostOptions()));
        using var source = new CancellationTokenSource();
        var callers = await Start(client, 2, static () => Post("mutation"));
        var read = client.SendAsync(Post("read"), source.Token);
        await Probe.Reached(Started, 2);
        Assert.Equal(2, Group.ActiveFlights);

        Gate.Open();
        await upstream.Received(3);

        Assert.Equal(0, Group.ActiveFlights);
        second.Open();
        await Bodies(callers);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
    }

    [Fact]
    public async Task Write_RememberedAsUnshareable_ForgetsToo()
    {
        var hold = new Gate();
        var upstream = new Upstream(async (sent, token) =>
        {
            await (sent.Method == HttpMethod.Get ? hold : Gate).Opened.WaitAsync(token);
            return sent.Method == HttpMethod.Get ? Ok("read") : Ok("answer").With("Set-Cookie", "a=b");
        });
        var client = Client(upstream, Pipeline(PostOptions()));
        var callers = await Start(client, 2, static () => Post("mutation"));
        Gate.Open();
        await Bodies(callers);
        var read = await Start(client, 1);
        Assert.Equal(1, Group.ActiveFlights);

        await Body(client.SendAsync(Post("mutation")));

        Assert.Equal(BypassReason.Remembered, Reasons[^1]);
        Assert.Equal(0, Group.ActiveFlights);
        hold.Open();
        Assert.Equal(["read"], await Bodies(read));
    }

    [Fact]
    public async Task Write_ToAnotherUri_ForgetsNothing()
    {
        var upstream = new Upstream(async (sent, token) =>
        {
            await (sent.Method == HttpMethod.Get ? Gate.Opened : Task.CompletedTask).WaitAsync(token);
            return Ok("x").Status(HttpStatusCode.OK);
        });
        var client = Client(upstream);
        var read = await Start(client, 1);

        await Body(client.SendAsync(Post("mutation", new Uri(Address, "?other"))));

        Assert.Equal(1, Group.ActiveFlights);
        Gate.Open();
        await Bodies(read);
    }
}
