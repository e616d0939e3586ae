using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.WireMock.Tests;

/// <summary>What broken connections do to everybody who waits: an exception, at once, and nothing that lasts.</summary>
public sealed class FaultTests : WireMockTest
{
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Send_ClosedWithoutAByte_EverybodyGetsHttpRequestException(string version)
    {
        var server = Start(version);
        server.BreakOff = static context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };

        await AssertEverybodyFailsAsync(server);
        Assert.Equal(0, server.Probe[Callers.HeadersReceived]);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Send_BodyCutAfterGoodHeaders_EverybodyGetsHttpRequestException(string version)
    {
        var server = Start(version);
        server.BreakOff = async context =>
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = 100;
            await context.Response.WriteAsync("{\"access_token\":\"");
            await context.Response.Body.FlushAsync();

            // Closed sooner, the connection might take the headers with it.
            await server.Probe.Reached(Callers.HeadersReceived, server.Arrivals.Count);
            context.Abort();
        };

        await AssertEverybodyFailsAsync(server);
        Assert.Equal(2, server.Probe[Callers.HeadersReceived]);
    }

    /// <summary>A hundred callers get one failed call, and the next caller a call of its own.</summary>
    private static async Task AssertEverybodyFailsAsync(TokenServer server)
    {
        await using var callers = new Callers(server);

        var answers = await callers.SendAllAsync(100, static _ => TokenRequests.Create());

        Assert.All(answers, static answer => Assert.IsType<HttpRequestException>(answer.Error));
        Assert.Single(server.Arrivals);

        var next = await callers.SendAsync(TokenRequests.Create());
        Assert.IsType<HttpRequestException>(next.Error);
        Assert.Equal(2, server.Arrivals.Count);
    }
}
