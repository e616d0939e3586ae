using System.IO.Compression;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>Bodies beyond the caps are the leader's alone, whole, and whatever their headers claim.</summary>
public sealed class BodyLimitTests : HttpTest
{
    private const int Limit = 1000;

    [Theory]
    [InlineData(0, true, 1)]
    [InlineData(0, false, 1)]
    [InlineData(-1, false, 1)]
    [InlineData(1, true, 5)]
    [InlineData(1, false, 5)]
    [InlineData(100_000, true, 5)]
    [InlineData(100_000, false, 5)]
    public async Task MaxResponseBodyBytes_BodyAroundIt_IsSharedUpToIt(int excess, bool announced, int calls)
    {
        var body = new string('x', Limit + excess);
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            await Gate.Opened;
            context.Response.ContentLength = announced ? body.Length : null;
            await context.Response.WriteAsync(body);
        }));
        var client = Client(Sockets(), Pipeline(Options(static options => options.MaxResponseBodyBytes = Limit)));
        var callers = await Start(client, 5, () => Get(server.Address));

        Gate.Open();

        Assert.All(await Bodies(callers), text => Assert.Equal(body, text));
        Assert.Equal(calls, server.Calls);
    }

    [Fact]
    public async Task MaxResponseBodyBytes_Zero_OnlyEmptyBodiesAreShared()
    {
        var upstream = new Upstream(Gate, static sent => Ok(sent.Uri.Query.TrimStart('?')));
        var client = Client(upstream, Pipeline(Options(static options => options.MaxResponseBodyBytes = 0)));
        var empty = await Start(client, 3);
        var full = await Start(client, 3, static () => Get(new Uri(Address, "?x")));
        Gate.Open();

        Assert.Equal(["", "", ""], await Bodies(empty));
        Assert.Equal(["x", "x", "x"], await Bodies(full));
        Assert.Equal(4, upstream.Calls);
    }

    [Fact]
    public async Task GzipBomb_IsCountedUncompressed_LeaderGetsItWhole()
    {
        const int Size = 10_000_000;
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(new byte[Size]);
        }

        var server = Serve(await TestServer.StartAsync(async context =>
        {
            await Gate.Opened;
            context.Response.Headers.ContentEncoding = "gzip";
            context.Response.ContentLength = packed.Length;
            await context.Response.Body.WriteAsync(packed.GetBuffer().AsMemory(0, (int)packed.Length));
        }));
        Assert.True(packed.Length < 500_000);
        var client = Client(Sockets(DecompressionMethods.GZip), Pipeline(Options(static options => options.MaxResponseBodyBytes = 500_000)));
        var callers = await Start(client, 3, () => Get(server.Address));

        Gate.Open();

        foreach (var caller in callers)
        {
            Assert.Equal(Size, (await (await caller).Content.ReadAsByteArrayAsync()).Length);
        }

        Assert.Equal(3, server.Calls);
    }

    [Fact]
    public async Task DeclaredLength_BeyondTheCap_RefusesBeforeTheBody()
    {
        var body = new Gate();
        var upstream = new Upstream(async (sent, token) =>
        {
            await Gate.Opened.WaitAsync(token);
            return Ok(new PieceContent([new(new byte[Limit + 1], sent.Number == 1 ? body : null)], Limit + 1));
        });
        var client = Client(upstream, Pipeline(Options(static options => options.MaxResponseBodyBytes = Limit)));
        var callers = await Start(client, 3);
        Gate.Open();

        Assert.All(await Bodies(callers[1..]), static text => Assert.Equal(Limit + 1, text.Length));
        body.Open();
        Assert.Equal(Limit + 1, (await Body(callers[0])).Length);
    }
}
