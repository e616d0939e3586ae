using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>What a leader and its followers receive is, field by field, what a client without single flight receives.</summary>
public sealed class ParityTests : HttpTest
{
    private static readonly HttpCompletionOption[] s_completions =
        [HttpCompletionOption.ResponseContentRead, HttpCompletionOption.ResponseHeadersRead];

    private Gate _hold = new();

    public static TheoryData<string, HttpProtocols, DecompressionMethods> KestrelCases
    {
        get
        {
            var data = new TheoryData<string, HttpProtocols, DecompressionMethods>();
            foreach (var name in ParityCases.Kestrel.Keys)
            {
                data.Add(name, HttpProtocols.Http1, DecompressionMethods.None);
                data.Add(name, HttpProtocols.Http2, DecompressionMethods.None);
            }

            data.Add("gzip", HttpProtocols.Http1, DecompressionMethods.All);
            data.Add("gzip", HttpProtocols.Http2, DecompressionMethods.All);
            return data;
        }
    }

    public static TheoryData<string> RawCases => [.. ParityCases.Raw.Keys];

    [Theory]
    [MemberData(nameof(KestrelCases))]
    public async Task Kestrel_LeaderAndFollowers_ReceiveWhatAPlainClientReceives(
        string name, HttpProtocols protocol, DecompressionMethods decompression)
    {
        var server = Serve(await TestServer.StartAsync(
            async context =>
            {
                context.Response.Headers.Date = "Sun, 06 Nov 1994 08:49:37 GMT";
                await (context.Request.Path == ParityCases.FinalPath
                    ? ParityCases.Final(context)
                    : AnswerAsync(() => ParityCases.Kestrel[context.Request.Path == "/redirect" ? "redirect" : name](context)));
            },
            protocol));
        HttpRequestMessage Request() => new(HttpMethod.Get, server.At("/start?q=1"))
        {
            Version = protocol == HttpProtocols.Http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        await IsTheSame(Request, () => Sockets(decompression), decompression == DecompressionMethods.None);

        Assert.Equal(2 * s_completions.Length, server.Probe["called /start"]);
    }

    [Theory]
    [MemberData(nameof(RawCases))]
    public async Task Bytes_LeaderAndFollowers_ReceiveWhatAPlainClientReceives(string name)
    {
        var server = Serve(new RawServer(connection => AnswerAsync(() => connection.WriteAsync(ParityCases.Raw[name]))));

        await IsTheSame(() => Get(server.Address), SingleUseSockets);

        Assert.Equal(2 * s_completions.Length, server.Calls);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task RedirectOfAPost_LeaderAndFollowers_ReceiveWhatAPlainClientReceives(int status)
    {
        var server = Serve(new RawServer(connection => connection.Head.Contains(ParityCases.FinalPath, StringComparison.Ordinal)
            ? connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
            : AnswerAsync(() => connection.WriteAsync($"HTTP/1.1 {status} R\r\nLocation: {ParityCases.FinalPath}\r\nContent-Length: 0\r\n\r\n"))));

        await IsTheSame(() => Post("the body", server.Address), SingleUseSockets);

        Assert.Equal(2 * 2 * s_completions.Length, server.Calls);
    }

    [Fact]
    public async Task Redirect_AuthorizationOfTheRequest_IsSharedAllTheSame()
    {
        var server = Serve(new RawServer(connection => connection.Head.Contains(ParityCases.FinalPath, StringComparison.Ordinal)
            ? connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
            : AnswerAsync(() => connection.WriteAsync($"HTTP/1.1 302 R\r\nLocation: {ParityCases.FinalPath}\r\nContent-Length: 0\r\n\r\n"))));
        var client = Client(SingleUseSockets(), inside: new ShowsSending());
        var callers = await Start(client, 5, () => Get(server.Address, ("Authorization", "Bearer alice")));
        _hold.Open();

        foreach (var response in await Task.WhenAll(callers))
        {
            Assert.Equal(new Uri(server.Address, ParityCases.FinalPath), response.RequestMessage?.RequestUri);
        }

        Assert.Equal(2, server.Calls);
    }

    private async Task AnswerAsync(Func<Task> answer)
    {
        await Volatile.Read(ref _hold).Opened;
        await answer();
    }

    private async Task IsTheSame(Func<HttpRequestMessage> request, Func<HttpMessageHandler> handler, bool withLength = true)
    {
        var plain = PlainClient(handler());
        var client = Client(handler(), Pipeline(PostOptions()), inside: new ShowsSending());
        foreach (var completion in s_completions)
        {
            // The runtime's decompressed content never has a length, not even when it is in memory; ours has one then.
            var compareLength = withLength || completion == HttpCompletionOption.ResponseHeadersRead;
            _hold = new Gate();
            _hold.Open();
            using var reference = await plain.SendAsync(request(), completion).Soon();
            var expected = await Received.TakeAsync(reference, compareLength);

            _hold = new Gate();
            var callers = await Start(client, 3, request, completion);
            _hold.Open();
            foreach (var caller in callers)
            {
                using var response = await caller;
                Assert.Equal(expected, await Received.TakeAsync(response, compareLength));
            }
        }

        Assert.Empty(Reasons);
    }
}
