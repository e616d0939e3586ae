namespace Polly.SingleFlight.Tests.Http;

/// <summary>A body that is cut is an error for everyone, never a short answer.</summary>
public sealed class BrokenBodyTests : HttpTest
{
    public static TheoryData<string, bool, HttpCompletionOption> Cuts
    {
        get
        {
            var data = new TheoryData<string, bool, HttpCompletionOption>();
            foreach (var completion in new[] { HttpCompletionOption.ResponseContentRead, HttpCompletionOption.ResponseHeadersRead })
            {
                data.Add("Content-Length: 100\r\n\r\nonly this", false, completion);
                data.Add("Content-Length: 100\r\n\r\nonly this", true, completion);
                data.Add("Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n", false, completion);
                data.Add("Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n", true, completion);
                data.Add("Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\nnonsense\r\n", false, completion);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task Connection_CutMidBody_EveryoneGetsHttpRequestException(string response, bool reset, HttpCompletionOption completion)
    {
        var cut = new Gate();
        var server = Serve(new RawServer(async connection =>
        {
            await Gate.Opened;
            await connection.WriteAsync("HTTP/1.1 200 OK\r\n" + response);
            await cut.Opened.WaitAsync(connection.Stopped);
            if (reset)
            {
                connection.Cut();
            }
        }));
        var client = Client(SingleUseSockets());
        var callers = await Start(client, 5, () => Get(server.Address), completion);

        Gate.Open();
        await server.Probe.Reached(RawServer.Called, 1);
        cut.Open();

        foreach (var caller in callers)
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => caller);
        }

        Assert.Equal(1, server.Calls);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(server.Address));
        Assert.Equal(2, server.Calls);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-")]
    [InlineData("nonsense\r\n\r\n")]
    public async Task Connection_CutBeforeTheBody_IsOneErrorForAll(string response)
    {
        var server = Serve(new RawServer(async connection =>
        {
            await Gate.Opened;
            await connection.WriteAsync(response);
        }));
        var client = Client(SingleUseSockets());
        var callers = await Start(client, 5, () => Get(server.Address));
        Gate.Open();

        foreach (var caller in callers)
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => caller);
        }

        Assert.Equal(1, server.Calls);
    }

    [Fact]
    public async Task Body_EndsWithTheConnection_IsCompleteWithoutALength()
    {
        var server = Serve(new RawServer(async connection =>
        {
            await Gate.Opened;
            await connection.WriteAsync("HTTP/1.1 200 OK\r\n\r\nto the end");
        }));
        var client = Client(SingleUseSockets());
        var callers = await Start(client, 3, () => Get(server.Address));
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("to the end", body));
        Assert.Equal(1, server.Calls);
    }

    [Fact]
    public async Task Body_ThrowsWhatItLikes_NobodyHangsAndNobodyGetsAShortAnswer()
    {
        var gate = new Gate();
        var content = new PieceContent([new(new byte[10]), new(new byte[10], gate)]);
        var client = Client(new Upstream(Gate, _ => Ok(content)));
        var callers = await Start(client, 3);
        Gate.Open();
        await content.Stalled.Opened.Soon();
        gate.OpenWith(new InvalidOperationException("from the body"));

        foreach (var caller in callers)
        {
            Assert.Equal("from the body", (await Assert.ThrowsAnyAsync<Exception>(() => caller)).GetBaseException().Message);
        }
    }
}
