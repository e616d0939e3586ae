using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Polly.SingleFlight.WireMock.Tests;

/// <summary>The server and its mappings alone, without single flight: what the other tests stand on.</summary>
public sealed class WireMockServerTests(WireMockFixture fixture) : WireMockTest(fixture)
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = true });

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _http.BaseAddress = Server.Address;
    }

    public override ValueTask DisposeAsync()
    {
        _http.Dispose();
        return base.DisposeAsync();
    }

    [Fact]
    public void Address_IsLoopback() => Assert.True(Server.Address.IsLoopback);

    [Fact]
    public async Task Token_EachCall_IsNewAndNotToBeStored()
    {
        var tokens = new HashSet<string?>();
        foreach (var region in TokenRequests.Regions)
        {
            using var response = await SendAsync(TokenRequests.Create(region: region));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.True(response.Headers.CacheControl?.NoStore);
            var body = await response.Content.ReadFromJsonAsync<JsonElement>();
            var token = body.GetProperty("access_token").GetString();
            Assert.StartsWith($"{TokenRequests.Business}/{region}/", token, StringComparison.Ordinal);
            Assert.True(tokens.Add(token));
            Assert.Equal(1, await Server.CountAsync(TokenRequests.InRegion(region)));
        }
    }

    [Fact]
    public async Task Token_OfUnknownRegion_IsRefused()
    {
        using var response = await SendAsync(TokenRequests.Create(region: "Atlantis"));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var body = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("invalid_request", body.GetProperty("error").GetString());
        Assert.Contains("Atlantis", body.GetProperty("error_description").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Token_ThousandCallsAtOnce_AllArriveAndAreAnswered(string version)
    {
        var responses = await Task.WhenAll(Enumerable.Range(0, 1000).Select(async i =>
        {
            using var request = TokenRequests.Create(region: TokenRequests.Regions[i % TokenRequests.Regions.Length]);
            request.Version = Version.Parse(version);
            request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
            using var response = await _http.SendAsync(request);
            return (response.StatusCode, response.Version.ToString());
        })).Soon();

        Assert.All(responses, response => Assert.Equal((HttpStatusCode.OK, version), response));
        Assert.Equal(1000, await Server.CountAsync(new RequestPattern("/connect/token")));
    }

    [Fact]
    public async Task FailFirst_EachRegion_FailsOnceUntilReset()
    {
        for (var round = 0; round < 2; round++)
        {
            foreach (var region in TokenRequests.Regions)
            {
                using var first = await SendAsync(TokenRequests.Create("fail-first/connect/token", region));
                using var second = await SendAsync(TokenRequests.Create("fail-first/connect/token", region));
                Assert.Equal(HttpStatusCode.ServiceUnavailable, first.StatusCode);
                Assert.Equal(HttpStatusCode.OK, second.StatusCode);
            }

            Assert.Equal(8, await Server.CountAsync(new RequestPattern("/fail-first/connect/token")));
            await Server.ResetAsync();
        }
    }

    [Fact]
    public async Task Dispose_Running_EndsTheServer()
    {
        var server = await WireMockServer.StartAsync();
        using (await _http.GetAsync(new Uri(server.Address, "/__admin/health")))
        {
        }

        await server.DisposeAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => _http.GetAsync(new Uri(server.Address, "/__admin/health")));
    }

    [Fact]
    public async Task Start_Canceled_Throws()
    {
        using var canceled = new CancellationTokenSource();
        var start = WireMockServer.StartAsync(canceled.Token);
        await canceled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => start);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
    {
        using (request)
        {
            return await _http.SendAsync(request);
        }
    }
}
