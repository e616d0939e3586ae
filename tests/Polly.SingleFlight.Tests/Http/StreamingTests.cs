using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Http.Resilience;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>What streams keeps streaming, and a body that stalls holds nobody.</summary>
public sealed class StreamingTests : HttpTest
{
    [Fact]
    public async Task EventStream_ManyCallers_EverybodyGetsTheHeadersAtOnceAndAStreamOfItsOwn()
    {
        var calls = 0;
        var end = new Gate();
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            var call = Interlocked.Increment(ref calls);
            await Gate.Opened;
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync($"data: {call}\n\n");
            await context.Response.Body.FlushAsync();
            await end.Opened.WaitAsync(context.RequestAborted);
        }));
        var client = Client(Sockets());
        var callers = await Start(client, 5, () => Get(server.Address), HttpCompletionOption.ResponseHeadersRead);
        Gate.Open();

        var first = new List<string?>();
        foreach (var caller in callers)
        {
            using var reader = new StreamReader(await (await caller).Content.ReadAsStreamAsync());
            first.Add(await reader.ReadLineAsync().Soon());
        }

        Assert.Equal(["data: 1", "data: 2", "data: 3", "data: 4", "data: 5"], first.Order(StringComparer.Ordinal));
        end.Open();
    }

    [Fact]
    public async Task NoFollowers_HeadersArrive_LeaderGetsTheUntouchedResponseAndNewcomersStartAfresh()
    {
        var content = new PieceContent([new(new byte[10]), new(new byte[10], Gate)]);
        HttpResponseMessage? sent = null;
        var upstream = new Upstream(request => sent = Ok(request.Number == 1 ? content : new StringContent("second")));
        using var invoker = new HttpMessageInvoker(new ResilienceHandler(Pipeline()) { InnerHandler = upstream });

        var response = await invoker.SendAsync(Get(), default).Soon();

        Assert.Same(sent, response);
        Assert.Same(content, response.Content);
        Assert.Equal(0, content.BytesRead);
        Assert.Equal(0, Group.ActiveFlights);
        Assert.Equal("second", await Body(invoker.SendAsync(Get(), default)));
        Gate.Open();
        Assert.Equal(20, (await response.Content.ReadAsByteArrayAsync()).Length);
    }

    [Fact]
    public async Task StalledBody_EachCallersOwnToken_EndsItsWait()
    {
        var content = new PieceContent([new(new byte[10]), new(new byte[10], Gate)]);
        var upstream = new Upstream(Headers, _ => Ok(content));
        var client = Client(upstream);
        var sources = Enumerable.Range(0, 4).Select(_ => Track(new CancellationTokenSource())).ToArray();
        var callers = await Start(4, i => client.SendAsync(Get(), sources[i].Token));
        Headers.Open();
        await content.Stalled.Opened.Soon();

        foreach (var i in new[] { 0, 2, 1 })
        {
            await sources[i].CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => callers[i]);
        }

        Assert.False(callers[3].IsCompleted);
        Gate.Open();
        Assert.Equal(20, (await Body(callers[3])).Length);
        Assert.Equal(1, upstream.Calls);
    }

    [Fact]
    public async Task StalledBody_EverybodyLeaves_ConnectionIsGivenUp()
    {
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            await Headers.Opened;
            await context.Response.WriteAsync("the beginning");
            await context.Response.Body.FlushAsync();
            await Gate.Opened.WaitAsync(context.RequestAborted);
        }));
        var client = Client(Sockets());
        using var source = new CancellationTokenSource();
        var callers = await Start(3, _ => client.SendAsync(Get(server.Address), source.Token));
        Headers.Open();
        await server.Probe.Reached(TestServer.Called, 1);

        await source.CancelAsync();

        foreach (var caller in callers)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        }

        await server.Probe.Reached(TestServer.Aborted, 1);
    }

    [Fact]
    public async Task StalledBody_InnerTimeout_EndsAtTheHeaders()
    {
        var content = new PieceContent([new(new byte[10]), new(new byte[10], Gate)], length: 20);
        var upstream = new Upstream(Headers, _ => Ok(content));
        var client = Client(upstream, Pipeline(inside: static builder => builder.AddTimeout(TimeSpan.FromSeconds(1))));
        var callers = await Start(client, 2);
        Headers.Open();
        await content.Stalled.Opened.Soon();

        Clock.Advance(TimeSpan.FromSeconds(10));
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal(20, body.Length));
        Assert.Equal(1, upstream.Calls);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Newcomer_WhileTheBodyIsBuffered_JoinsUnlessTheFlightIsTooOld(bool tooOld)
    {
        var content = new PieceContent([new(new byte[10]), new(new byte[10], Gate)], length: 20);
        var upstream = new Upstream(async (sent, token) =>
        {
            await Headers.Opened.WaitAsync(token);
            return sent.Number == 1 ? Ok(content) : Ok("fresh");
        });
        var client = Client(upstream, Pipeline(Options(static options => options.MaxJoinAge = TimeSpan.FromSeconds(5))));
        var callers = await Start(client, 2);
        Headers.Open();
        await content.Stalled.Opened.Soon();
        Clock.Advance(TimeSpan.FromSeconds(tooOld ? 6 : 4));

        var newcomer = client.GetAsync(Address);

        await (tooOld ? upstream.Received(2) : Probe.Reached(Joined, 2));
        if (tooOld)
        {
            Assert.Equal("fresh", await Body(newcomer));
        }

        Gate.Open();
        Assert.All(await Bodies(callers), static body => Assert.Equal(20, body.Length));
        Assert.Equal(tooOld ? 2 : 1, upstream.Calls);
        Assert.True(tooOld || (await Body(newcomer)).Length == 20);
    }

    private Gate Headers { get; } = new();
}
