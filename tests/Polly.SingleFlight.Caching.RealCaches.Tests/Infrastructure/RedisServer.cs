using System.Net;
using System.Net.Sockets;
using Garnet;
using StackExchange.Redis;

namespace Polly.SingleFlight.Caching.RealCaches.Tests.Infrastructure;

/// <summary>
/// A server with the protocol of Redis inside the process, on a port of the system's choice, for all tests of the assembly; or the one that the environment variable
/// <c>SINGLE_FLIGHT_REDIS</c> names as <c>host:port</c>.
/// </summary>
public sealed class RedisServer : IAsyncLifetime
{
    private GarnetServer? _server;
    private ConnectionMultiplexer? _connection;

    public string Configuration { get; private set; } = "";

    public IConnectionMultiplexer Connection => _connection!;

    public async ValueTask InitializeAsync()
    {
        Configuration = Environment.GetEnvironmentVariable("SINGLE_FLIGHT_REDIS") ?? "";
        for (var attempt = 1; _server is null && Configuration.Length == 0; attempt++)
        {
            var port = FreePort();
            try
            {
                var server = new GarnetServer(["--bind", "127.0.0.1", "--port", $"{port}", "--memory", "64m", "--page", "1m", "--index", "4m", "-q", "--logger-level", "Error"]);
                server.Start();
                _server = server;
                Configuration = $"127.0.0.1:{port}";
            }
            catch (Exception) when (attempt < 5)
            {
                // Another process has taken the port meanwhile.
            }
        }

        // The time-outs of a connection, of five seconds, would end the commands of a slow machine.
        Configuration += ",connectTimeout=20000,syncTimeout=60000,asyncTimeout=60000";
        _connection = await ConnectionMultiplexer.ConnectAsync(Configuration);
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        _server?.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
