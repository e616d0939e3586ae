using System.Net;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>Responses without a body keep the headers that speak of one.</summary>
public sealed class BodilessTests : HttpTest
{
    private const string Length = "12345678";

    [Theory]
    [InlineData("HEAD", 200, "Content-Length: 12345678\r\nContent-Type: text/plain\r\n\r\n")]
    [InlineData("HEAD", 200, "Transfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n")]
    [InlineData("HEAD", 404, "Content-Length: 12345678\r\n\r\n")]
    [InlineData("GET", 304, "Content-Length: 12345678\r\nETag: \"1\"\r\nContent-Type: text/plain\r\n\r\n")]
    [InlineData("GET", 304, "ETag: \"1\"\r\n\r\n")]
    [InlineData("GET", 204, "X-Empty: yes\r\n\r\n")]
    [InlineData("GET", 205, "Content-Length: 0\r\n\r\n")]
    [InlineData("GET", 200, "Content-Length: 0\r\nContent-Type: text/plain\r\n\r\n")]
    public async Task Response_WithoutABody_IsSharedWithAllItsHeaders(string method, int status, string rest)
    {
        var server = Serve(new RawServer(async connection =>
        {
            await Gate.Opened;
            await connection.WriteAsync($"HTTP/1.1 {status} Reason\r\n{rest}");
        }));
        var client = Client(SingleUseSockets(), Pipeline(Options(static options => options.MaxResponseBodyBytes = 1000)));
        var callers = await Start(client, 4, () => new HttpRequestMessage(new HttpMethod(method), server.Address));
        Gate.Open();

        foreach (var response in await Task.WhenAll(callers))
        {
            Assert.Equal(status, (int)response.StatusCode);
            if (rest.Contains(Length, StringComparison.Ordinal))
            {
                Assert.Equal(Length, response.Content.Headers.NonValidated["Content-Length"].ToString());
            }

            Assert.Equal(rest.Contains("text/plain", StringComparison.Ordinal) ? "text/plain" : null, response.Content.Headers.ContentType?.MediaType);
            Assert.Equal(rest.Contains("ETag", StringComparison.Ordinal) ? "\"1\"" : null, response.Headers.ETag?.Tag);
            Assert.Empty(await response.Content.ReadAsByteArrayAsync());
        }

        Assert.Equal(1, server.Calls);
    }

    [Fact]
    public async Task PartialContent_IsSharedWithItsRange()
    {
        var server = Serve(new RawServer(async connection =>
        {
            await Gate.Opened;
            await connection.WriteAsync("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/10\r\nContent-Length: 3\r\n\r\nabc");
        }));
        var client = Client(SingleUseSockets());
        var callers = await Start(client, 3, () => Get(server.Address, ("Range", "bytes=2-4")));
        Gate.Open();

        foreach (var response in await Task.WhenAll(callers))
        {
            Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
            Assert.Equal("bytes 2-4/10", response.Content.Headers.ContentRange?.ToString());
            Assert.Equal("abc", await response.Content.ReadAsStringAsync());
        }

        Assert.Equal(1, server.Calls);
    }
}
