using System.IO.Compression;
using System.Net;

namespace Polly.SingleFlight.Tests.Security;

/// <summary>
/// Servers that lie or never end do not make the process hold more than the caps allow. By themselves, since what other tests allocate would be counted too.
/// </summary>
[Collection(nameof(Flights.WholeThreadPool))]
public sealed class HostileBodyTests : HttpTest
{
    private const int Limit = 100_000;
    private const int Piece = 1000;

    [Theory]
    [InlineData(null)]
    [InlineData(10L)]
    [InlineData((long)Limit)]
    public async Task EndlessBody_WhateverItsLengthClaims_IsReadNoFurtherThanTheCap(long? claim)
    {
        var content = new PieceContent(PieceContent.Endless(Piece), claim);
        var upstream = new Upstream(Gate, sent => Ok(sent.Number == 1 ? content : new StringContent("own")));
        var client = Client(upstream, Limited());
        var callers = await Start(client, 5, null, HttpCompletionOption.ResponseHeadersRead);
        Gate.Open();

        Assert.All(await Bodies(callers[1..]), static body => Assert.Equal("own", body));
        using var response = await callers[0];
        Assert.InRange(content.BytesRead, 1, Limit + Piece);
        var body = await response.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[3 * Limit]);
        Assert.InRange(content.BytesRead, 3 * Limit, (3 * Limit) + (2 * Piece));
    }

    [Fact]
    public async Task EndlessBody_ClaimsMoreThanTheCap_IsNotReadAtAll()
    {
        var content = new PieceContent(PieceContent.Endless(Piece), long.MaxValue);
        var upstream = new Upstream(Gate, sent => Ok(sent.Number == 1 ? content : new StringContent("own")));
        var client = Client(upstream, Limited());
        var callers = await Start(client, 2, null, HttpCompletionOption.ResponseHeadersRead);
        Gate.Open();

        Assert.Equal("own", await Body(callers[1]));
        Assert.NotNull(await callers[0]);
        Assert.InRange(content.BytesRead, 0, Limit + Piece);
    }

    [Fact]
    public async Task EndlessBodies_OfManyFlights_TogetherStayUnderTheTotal()
    {
        const int Flights = 20;
        const int Total = 300_000;
        var contents = new System.Collections.Concurrent.ConcurrentBag<PieceContent>();
        var upstream = new Upstream(Gate, sent =>
        {
            var content = new PieceContent(PieceContent.Endless(Piece));
            contents.Add(content);
            return Ok(content);
        });
        var client = Client(upstream, Pipeline(Options(static options =>
        {
            options.MaxResponseBodyBytes = Limit;
            options.MaxTotalBufferedBytes = Total;
        })));
        var callers = new List<Task<HttpResponseMessage>>();
        for (var i = 0; i < Flights; i++)
        {
            var uri = new Uri(Address, "?" + i);
            callers.AddRange(await Start(client, 2, () => Get(uri), HttpCompletionOption.ResponseHeadersRead));
        }

        Gate.Open();
        await Task.WhenAll(callers);

        // One flight after another may have used the whole of it, but no single one more than its own.
        Assert.All(contents, static content => Assert.InRange(content.BytesRead, 0, Limit + Piece));
        Assert.Equal(2 * Flights, contents.Count);
    }

    [Fact]
    public async Task EndlessBody_OverARealConnection_BackpressureStopsTheServer()
    {
        RawServer.Connection? first = null;
        var piece = new byte[16 * 1024];
        var server = Serve(new RawServer(async connection =>
        {
            var isFirst = Interlocked.CompareExchange(ref first, connection, null) is null;
            await Gate.Opened;
            await connection.WriteAsync(isFirst ? "HTTP/1.1 200 OK\r\n\r\n" : "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown");
            while (isFirst)
            {
                await connection.WriteAsync(piece);
            }
        }));
        var client = Client(SingleUseSockets(), Limited());
        var callers = await Start(client, 3, () => Get(server.Address), HttpCompletionOption.ResponseHeadersRead);
        Gate.Open();

        Assert.Equal(["own", "own"], await Bodies(callers[1..]));
        using var response = await callers[0];

        // What is more than the cap sits in the buffers of the two sockets, which grow to a few megabytes.
        Assert.InRange(first!.BytesWritten, 0, 32_000_000);
        var body = await response.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[5_000_000]);
    }

    [Fact]
    public async Task GzipBomb_EndlessZeros_IsCountedAfterDecompression()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            await gzip.WriteAsync(new byte[50_000_000]);
        }

        var bytes = packed.ToArray();
        var server = Serve(new RawServer(async connection =>
        {
            await Gate.Opened;
            await connection.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {bytes.Length}\r\n\r\n");
            await connection.WriteAsync(bytes);
        }));
        Assert.InRange(bytes.Length, 1, Limit);
        var handler = SingleUseSockets();
        handler.AutomaticDecompression = DecompressionMethods.GZip;
        var client = Client(handler, Limited());
        var callers = await Start(client, 3, () => Get(server.Address), HttpCompletionOption.ResponseHeadersRead);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Gate.Open();

        var responses = await Task.WhenAll(callers);

        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 10_000_000);
        Assert.Equal(3, server.Calls);
        var buffer = new byte[1_000_000];
        await (await responses[0].Content.ReadAsStreamAsync()).ReadExactlyAsync(buffer);
        Assert.All(responses, static response => response.Dispose());
    }

    [Theory]
    [InlineData("Content-Length: 2\r\n\r\nmore than two", "mo")]
    [InlineData("Content-Length: 0\r\n\r\nmore than none", "")]
    public async Task ContentLength_ClaimsTooLittle_EverybodyGetsWhatItSays(string response, string expected)
    {
        var server = Serve(new RawServer(async connection =>
        {
            await Gate.Opened;
            await connection.WriteAsync("HTTP/1.1 200 OK\r\n" + response);
        }));
        var client = Client(SingleUseSockets(), Limited());
        var callers = await Start(client, 3, () => Get(server.Address));
        Gate.Open();

        Assert.All(await Bodies(callers), body => Assert.Equal(expected, body));
        Assert.Equal(1, server.Calls);
    }

    [Fact]
    public async Task ContentLength_ClaimsTooMuch_IsAnErrorForAllAndReservesNothing()
    {
        var content = new PieceContent([new(new byte[10])], Limit);
        var client = Client(new Upstream(Gate, _ => Ok(content)), Limited());
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var callers = await Start(client, 2, null, HttpCompletionOption.ResponseHeadersRead);
        Gate.Open();
        var outcomes = await Task.WhenAll(callers.Select(static async caller => (await Record.ExceptionAsync(() => caller))?.GetType()));

        // In memory nobody checks the claim but us; what counts is that all callers see the same.
        Assert.Single(outcomes.Distinct());
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 10_000_000);
    }

    private ResiliencePipeline<HttpResponseMessage> Limited() =>
        Pipeline(Options(static options => options.MaxResponseBodyBytes = Limit));
}
