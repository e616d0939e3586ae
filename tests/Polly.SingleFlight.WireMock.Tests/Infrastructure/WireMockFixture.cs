// One server for all tests, which run one after the other: they count what reaches it.
[assembly: AssemblyFixture(typeof(WireMockFixture))]
[assembly: CollectionBehavior(CollectionBehavior.CollectionPerAssembly)]

namespace Polly.SingleFlight.WireMock.Tests.Infrastructure;

/// <summary>The server. Where there can be none, no test runs, and each says why.</summary>
public sealed class WireMockFixture : IAsyncLifetime
{
    /// <summary>The environment variable that turns a skip into a failure; CI sets it.</summary>
    private const string Required = "REQUIRE_WIREMOCK";

    private WireMockServer? _server;

    public async ValueTask InitializeAsync()
    {
        if (WireMockServer.Unavailable is null)
        {
            _server = await WireMockServer.StartAsync();

            // The seconds of the mappings are the demo's story. Tests hold answers back themselves until everybody waits.
            await _server.ScaleDelaysAsync(0.05);
        }
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? default;

    /// <summary>The server, with an empty journal and every scenario at its start. Without one, it ends the test.</summary>
    public async Task<WireMockServer> GetServerAsync()
    {
        if (_server is null)
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable(Required) == "1", WireMockServer.Unavailable!);
            Assert.Fail(WireMockServer.Unavailable);
        }

        await _server.ResetAsync();
        return _server;
    }
}
