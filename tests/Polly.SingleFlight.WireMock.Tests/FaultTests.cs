namespace Polly.SingleFlight.WireMock.Tests;

/// <summary>What the server's faults do to everybody who waits: an exception, at once, and nothing that lasts.</summary>
public sealed class FaultTests(WireMockFixture fixture) : WireMockTest(fixture)
{
    [Theory]
    [InlineData("empty-response/connect/token")]     // closed without a single byte
    [InlineData("malformed-chunk/connect/token")]    // good headers, then garbage
    public async Task Send_ServerBreaksOff_EverybodyGetsHttpRequestException(string path)
    {
        await using var callers = Callers.Of(Server);

        var answers = await callers.SendAllAsync(100, _ => TokenRequests.Create(path));

        Assert.All(answers, static answer => Assert.IsType<HttpRequestException>(answer.Error));
        Assert.Equal(1, await Server.CountAsync(new RequestPattern("/" + path)));

        var next = await callers.SendAsync(TokenRequests.Create(path));
        Assert.IsType<HttpRequestException>(next.Error);
        Assert.Equal(2, await Server.CountAsync(new RequestPattern("/" + path)));
    }
}
