using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Http.Resilience;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>The test servers themselves, and what is relied on in Microsoft's resilience handler, without single flight.</summary>
public sealed class InfrastructureTests : HttpTest
{
    [Fact]
    public async Task ResilienceHandler_RentedContext_TravelsWithTheRequestAndIsTakenBack()
    {
        ResilienceContext? inside = null;
        using var upstream = new Upstream(sent =>
        {
            inside = sent.Message.GetResilienceContext();
            return Ok("x");
        });
        using var invoker = Invoker(upstream, ResiliencePipeline<HttpResponseMessage>.Empty);
        using var request = Get();

        using var response = await invoker.SendAsync(request, CancellationToken.None);

        Assert.NotNull(inside);
        Assert.Null(request.GetResilienceContext());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ResilienceHandler_OwnContextAndReplacedRequest_AreUsed(bool sync)
    {
        using var other = Get(new Uri("http://other.test/"));
        var pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddStrategy(_ => new Replacing(other), new ReplacingOptions()).Build();
        using var upstream = new Upstream(sent => Ok(sent.Uri.Host));
        using var invoker = Invoker(upstream, pipeline);
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        using var request = Get();
        request.SetResilienceContext(context);

        using var response = sync ? invoker.Send(request, CancellationToken.None) : await invoker.SendAsync(request, CancellationToken.None);

        Assert.Equal("other.test", await response.Content.ReadAsStringAsync());
        Assert.Same(context, request.GetResilienceContext());
        ResilienceContextPool.Shared.Return(context);
    }

    [Theory]
    [InlineData(HttpProtocols.Http1, "1.1")]
    [InlineData(HttpProtocols.Http2, "2.0")]
    public async Task TestServer_HeldBetweenHeadersAndBody_SendsHeadersFirst(HttpProtocols protocol, string version)
    {
        var server = Serve(await TestServer.StartAsync(
            async context =>
            {
                await context.Response.Body.FlushAsync();
                await Gate.Opened;
                await context.Response.WriteAsync(context.Request.Protocol);
            },
            protocol));
        var client = PlainClient(Sockets());
        using var request = Get(server.At("/x"));
        request.Version = Version.Parse(version);
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Gate.Open();

        Assert.Equal(request.Version, response.Version);
        Assert.StartsWith("HTTP/", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal((1, 1), (server.Calls, server.Probe["called /x"]));
    }

    [Fact]
    public async Task TestServer_CallerGoesAway_SeesIt()
    {
        var server = Serve(await TestServer.StartAsync(async context => await Gate.Opened.WaitAsync(context.RequestAborted)));
        var client = PlainClient(Sockets());
        using var source = new CancellationTokenSource();
        var call = client.GetAsync(server.Address, source.Token);
        await server.Probe.Reached(TestServer.Called, 1);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await server.Probe.Reached(TestServer.Aborted, 1);
    }

    [Fact]
    public async Task RawServer_TrailersReasonAndCut_ArriveAsWritten()
    {
        var server = Serve(new RawServer("HTTP/1.1 299 Fine Thanks\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: 1\r\n\r\n"));
        var cut = Serve(new RawServer(async connection =>
        {
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
            connection.Cut();
        }));
        var client = PlainClient(Sockets());

        using var response = await client.GetAsync(server.Address);
        var text = await Received.TakeAsync(response);

        Assert.Contains("1.1 299 'Fine Thanks'", text, StringComparison.Ordinal);
        Assert.Contains("\ntrailer T: 1", text, StringComparison.Ordinal);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(cut.Address));
        Assert.Equal((1, 1), (server.Calls, cut.Calls));
    }

    [Fact]
    public async Task PieceContent_ReadsAndEnds_AreCounted()
    {
        var content = new PieceContent(PieceContent.Pieces(3, 100));
        using var upstream = new Upstream(_ => Ok(content));
        using var client = PlainClient(upstream);
        using var response = await client.GetAsync(Address, HttpCompletionOption.ResponseHeadersRead);
        var body = await response.Content.ReadAsStreamAsync();

        Assert.Equal(100, await body.ReadAsync(new byte[1000]));
        Assert.Equal(100, content.BytesRead);
        Assert.Equal(200, (await response.Content.ReadAsByteArrayAsync()).Length);
        response.Dispose();
        await content.Disposed.Opened.Soon();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private static HttpMessageInvoker Invoker(HttpMessageHandler primary, ResiliencePipeline<HttpResponseMessage> pipeline) =>
        new(new ResilienceHandler(pipeline) { InnerHandler = primary });

    private sealed class ReplacingOptions : ResilienceStrategyOptions;

    private sealed class Replacing(HttpRequestMessage request) : ResilienceStrategy
    {
        protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
        {
            context.SetRequestMessage(request);
            return callback(context, state);
        }
    }
}
