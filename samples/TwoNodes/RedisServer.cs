using System.Net;
using System.Net.Sockets;
using Garnet;

namespace TwoNodes;

/// <summary>The server that the nodes meet at: Garnet inside this process, or one that runs already.</summary>
internal sealed class RedisServer : IDisposable
{
    private readonly int _port;
    private GarnetServer? _garnet;

    private RedisServer(string address, int port) => (Address, _port) = (address, port);

    /// <summary>The server as <c>host:port</c>.</summary>
    public string Address { get; }

    /// <summary>Whether it is Garnet, which the tour may stop.</summary>
    public bool IsOwn => _port != 0;

    public static RedisServer Existing(string address) => new(address, 0);

    /// <summary>Starts Garnet on a free port of loopback.</summary>
    public static RedisServer StartOwn()
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort();
            try
            {
                var server = new RedisServer($"127.0.0.1:{port}", port);
                server.Start();
                return server;
            }
            catch (Exception) when (attempt < 5)
            {
                // Another process has taken the port meanwhile.
            }
        }
    }

    /// <summary>Starts Garnet, empty, at the same address as before.</summary>
    public void Start()
    {
        // Single flight needs scripts, which Garnet runs when it is told to.
        _garnet = new GarnetServer(["--bind", "127.0.0.1", "--port", $"{_port}", "--memory", "64m", "--page", "1m", "--index", "4m", "--lua", "--auth", "ACL", "-q", "--logger-level", "Error"]);
        _garnet.Start();
    }

    /// <summary>Stops Garnet and closes all connections to it.</summary>
    public void Stop()
    {
        _garnet?.Dispose();
        _garnet = null;
    }

    public void Dispose() => Stop();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
