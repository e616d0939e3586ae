using System.Collections.Concurrent;
using Polly.SingleFlight.WireMock;

namespace HttpClientDemo;

/// <summary>The endpoint as a WireMock server, in a process of its own and with a journal that this program does not write.</summary>
internal sealed class WireMockEndpoint : ITokenEndpoint
{
    private readonly WireMockServer _server;
    private readonly ConcurrentDictionary<Region, int> _calls = new();

    private WireMockEndpoint(WireMockServer server, DemoOptions options)
    {
        _server = server;

        // Where the first call for each region fails is a path of its own; see the mappings.
        Address = new Uri(server.Address, options.FailFirst ? "fail-first/" : "");
    }

    public string Name => "WireMock, calls counted by its journal";

    public Uri Address { get; }

    /// <exception cref="WireMockUnavailableException">The server cannot be started; the message says why.</exception>
    public static async Task<WireMockEndpoint> StartAsync(DemoOptions options, CancellationToken cancellationToken)
    {
        var server = await WireMockServer.StartAsync(cancellationToken);
        try
        {
            await server.ScaleDelaysAsync(1 / options.Speed, cancellationToken);
            return new WireMockEndpoint(server, options);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public int CallsFor(Region region) => _calls.GetValueOrDefault(region);

    public async Task CountAsync()
    {
        foreach (var region in Region.Supported.Append(Region.Unsupported))
        {
            _calls[region] = await _server.CountAsync(
                new RequestPattern(new Uri(Address, TokenClient.Path).AbsolutePath)
                {
                    Form = new Dictionary<string, string> { ["region"] = region.Name },
                });
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
