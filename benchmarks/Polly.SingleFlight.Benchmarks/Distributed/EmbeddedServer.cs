using System.Net;
using System.Net.Sockets;
using Garnet;

namespace Polly.SingleFlight.Benchmarks.Distributed;

/// <summary>A server with the protocol of Redis inside the process, on a port of the system's choice.</summary>
internal sealed class EmbeddedServer : IDisposable
{
    private readonly GarnetServer _server;

    private EmbeddedServer(GarnetServer server, int port) => (_server, Configuration) = (server, $"127.0.0.1:{port}");

    public string Configuration { get; }

    public static EmbeddedServer Start()
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort();
            try
            {
                var server = new GarnetServer(
                    ["--bind", "127.0.0.1", "--port", $"{port}", "--memory", "256m", "--page", "1m", "--index", "16m", "--lua", "-q", "--logger-level", "Error"]);
                server.Start();
                return new EmbeddedServer(server, port);
            }
            catch (Exception) when (attempt < 5)
            {
                // Another process has taken the port meanwhile.
            }
        }
    }

    public void Dispose() => _server.Dispose();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
