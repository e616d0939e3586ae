using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>A body that does not say how long it is may never end; its readers do not wait for that.</summary>
public sealed class EndlessBodyTests : HttpTest
{
    private readonly Gate _end = new();
    private readonly Gate _headers = new();

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-ndjson")]
    [InlineData("text/plain")]
    [InlineData("application/octet-stream")]
    public async Task WatchThatDoesNotEnd_ManyReaders_EachGetsItsFirstLineOfAStreamOfItsOwn(string type)
    {
        var server = await WatchAsync(type);
        var client = Client(Sockets());
        var callers = await Start(client, 4, () => Get(server.Address), HttpCompletionOption.ResponseHeadersRead);
        _headers.Open();
        await Reading();

        Clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(["call 1", "call 2", "call 3", "call 4"], (await FirstLines(callers)).Order(StringComparer.Ordinal));
        Assert.Equal([BypassReason.Limit, BypassReason.Limit, BypassReason.Limit], Reasons);
        _end.Open();
    }

    [Fact]
    public async Task WatchThatDoesNotEnd_ReaderAfterwards_DoesNotWaitAtAll()
    {
        var server = await WatchAsync("application/json");
        var client = Client(Sockets());
        var callers = await Start(client, 2, () => Get(server.Address), HttpCompletionOption.ResponseHeadersRead);
        _headers.Open();
        await Reading();
        Clock.Advance(TimeSpan.FromSeconds(1));
        await FirstLines(callers);

        var later = client.SendAsync(Get(server.Address), HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal(["call 3"], await FirstLines([later]));
        Assert.Equal(BypassReason.Remembered, Reasons[^1]);
        _end.Open();
    }

    [Fact]
    public async Task WatchThatDoesNotEnd_TimeHasNotPassed_FollowersWait()
    {
        var server = await WatchAsync("application/json");
        var client = Client(Sockets(), Pipeline(Options(static options => options.MaxBodyWait = TimeSpan.FromSeconds(5))));
        var callers = await Start(client, 2, () => Get(server.Address), HttpCompletionOption.ResponseHeadersRead);
        _headers.Open();
        await Reading();

        Clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(1, server.Calls);
        _end.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("call 1\n", body));
        Assert.Equal(1, server.Calls);
    }

    [Fact]
    public async Task AnnouncedBody_TakesLonger_IsShared()
    {
        var content = new PieceContent([new(new byte[10]), new(new byte[10], Gate)], length: 20);
        var upstream = new Upstream(_headers, _ => Ok(content));
        var client = Client(upstream);
        var callers = await Start(client, 3);
        _headers.Open();
        await content.Stalled.Opened.Soon();

        Clock.Advance(TimeSpan.FromHours(1));
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal(20, body.Length));
        Assert.Equal(1, upstream.Calls);
    }

    [Fact]
    public async Task MaxBodyWait_Infinite_FollowersWaitForTheEnd()
    {
        var content = new PieceContent([new(new byte[10]), new(new byte[10], Gate)]);
        var upstream = new Upstream(_headers, _ => Ok(content));
        var client = Client(upstream, Pipeline(Options(static options => options.MaxBodyWait = System.Threading.Timeout.InfiniteTimeSpan)));
        var callers = await Start(client, 3);
        _headers.Open();
        await content.Stalled.Opened.Soon();

        Clock.Advance(TimeSpan.FromDays(100));
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal(20, body.Length));
        Assert.Equal(1, upstream.Calls);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Leader_PartsFromItsFollowers_ReadsTheWholeBodyInOrder(bool isSynchronous)
    {
        var pieces = Enumerable.Range(0, 6).Select(i => new PieceContent.Piece([(byte)('a' + i), (byte)('A' + i)], i == 3 ? Gate : null));
        var content = new PieceContent(pieces);
        var upstream = new Upstream(async (sent, token) =>
        {
            await _headers.Opened.WaitAsync(token);
            return sent.Number == 1 ? Ok(content) : Ok("own");
        });
        var client = Client(upstream);
        var callers = await Start(client, 3, completion: HttpCompletionOption.ResponseHeadersRead);
        _headers.Open();
        await content.Stalled.Opened.Soon();
        Clock.Advance(TimeSpan.FromSeconds(1));
        var response = await callers[0];
        Gate.Open();

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("aAbBcCdDeEfF", isSynchronous ? await Task.Run(() => reader.ReadToEnd()).Soon() : await reader.ReadToEndAsync().Soon());
        Assert.Equal(["own", "own"], await Bodies(callers[1..]));
        response.Dispose();
        await content.Disposed.Opened.Soon();
    }

    [Fact]
    public async Task Leader_DisposesWhileAReadIsUnderWay_ConnectionIsGivenUp()
    {
        var server = await WatchAsync("application/json");
        var client = Client(Sockets());
        var callers = await Start(client, 2, () => Get(server.Address), HttpCompletionOption.ResponseHeadersRead);
        _headers.Open();
        await Reading();
        Clock.Advance(TimeSpan.FromSeconds(1));

        foreach (var caller in callers)
        {
            (await caller).Dispose();
        }

        await server.Probe.Reached(TestServer.Aborted, 2);
    }

    [Fact]
    public async Task Leader_DisposesWhileAReadIsUnderWayThatIgnoresItsToken_BodyIsDisposedAllTheSame()
    {
        var content = new PieceContent([new(new byte[10], Gate)]) { IgnoresTokens = true };
        var upstream = new Upstream(async (sent, token) =>
        {
            await _headers.Opened.WaitAsync(token);
            return sent.Number == 1 ? Ok(content) : Ok("own");
        });
        var client = Client(upstream);
        var callers = await Start(client, 2, completion: HttpCompletionOption.ResponseHeadersRead);
        _headers.Open();
        await content.Stalled.Opened.Soon();
        Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("own", await Body(callers[1]));

        (await callers[0]).Dispose();
        Assert.False(content.Disposed.Opened.IsCompleted);
        Clock.Advance(TimeSpan.FromSeconds(1));

        await content.Disposed.Opened.Soon();
        Gate.Open();
    }

    [Fact]
    public async Task Leader_CancelsItsReadWhileOneIsUnderWay_GetsItsOwnCancellation()
    {
        var server = await WatchAsync("application/json");
        var client = Client(Sockets());
        var callers = await Start(client, 2, () => Get(server.Address), HttpCompletionOption.ResponseHeadersRead);
        _headers.Open();
        await Reading();
        Clock.Advance(TimeSpan.FromSeconds(1));
        var stream = await (await callers[0]).Content.ReadAsStreamAsync();
        var line = new byte[7];
        await stream.ReadExactlyAsync(line).AsTask().Soon();
        using var source = new CancellationTokenSource();
        var read = stream.ReadAsync(line, source.Token).AsTask();

        await source.CancelAsync();

        await IsCanceledBy(read.Soon(), source.Token);
        _end.Open();
        (await callers[1]).Dispose();
    }

    [Fact]
    public async Task BodyThatCanOnlyBeWritten_NeverEnds_FollowersSendTheirOwn()
    {
        var upstream = new Upstream(async (sent, token) =>
        {
            await _headers.Opened.WaitAsync(token);
            return sent.Number == 1 ? Ok(new WrittenContent(Gate)) : Ok("own");
        });
        var client = Client(upstream);
        var callers = await Start(client, 3, completion: HttpCompletionOption.ResponseHeadersRead);
        _headers.Open();
        await Reading();

        Clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(["own", "own"], await Bodies(callers[1..]));
        var leader = await callers[0];
        Gate.Open();
        Assert.Equal("written", await leader.Content.ReadAsStringAsync().Soon());
    }

    /// <summary>Waits until the flight waits for its body, which it does with a timer of its clock.</summary>
    private Task Reading() => Clock.TimersSet(1);

    private async Task<TestServer> WatchAsync(string type)
    {
        var calls = 0;
        return Serve(await TestServer.StartAsync(async context =>
        {
            var call = Interlocked.Increment(ref calls);
            await _headers.Opened;
            context.Response.ContentType = type;
            await context.Response.WriteAsync($"call {call}\n");
            await context.Response.Body.FlushAsync();
            await _end.Opened.WaitAsync(context.RequestAborted);
        }));
    }

    private static async Task<string[]> FirstLines(IEnumerable<Task<HttpResponseMessage>> callers)
    {
        var lines = new List<string>();
        foreach (var caller in callers)
        {
            using var reader = new StreamReader(await (await caller).Content.ReadAsStreamAsync());
            lines.Add((await reader.ReadLineAsync().Soon())!);
        }

        return [.. lines];
    }

    private sealed class WrittenContent(Gate gate) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            await gate.Opened;
            await stream.WriteAsync("written"u8.ToArray());
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
