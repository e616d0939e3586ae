using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Polly.SingleFlight.Redis.Nodes;

/// <summary>
/// A server in a process of its own, on a port of the system's choice, that can be killed and started again, empty: Garnet, or <c>redis-server</c> of the PATH.
/// </summary>
public sealed class ServerProcess : IDisposable
{
    internal const string GarnetIsReady = "ready";

    private readonly bool _isRedis;
    private readonly int _port;
    private Process? _process;

    private ServerProcess(bool isRedis, int port) => (_isRedis, _port) = (isRedis, port);

    /// <summary>Gets the server as <c>host:port</c>.</summary>
    public string Address => $"127.0.0.1:{_port}";

    /// <summary>Starts a server.</summary>
    /// <param name="isRedis">Whether it is <c>redis-server</c>.</param>
    /// <returns>The server.</returns>
    public static async Task<ServerProcess> StartAsync(bool isRedis)
    {
        for (var attempt = 1; ; attempt++)
        {
            var server = new ServerProcess(isRedis, FreePort());
            try
            {
                await server.StartAgainAsync();
                return server;
            }
            catch (InvalidOperationException) when (attempt < 5)
            {
                // Another process has taken the port meanwhile.
            }
        }
    }

    /// <summary>Starts it again after it was killed. It remembers nothing.</summary>
    /// <returns>A task that ends when the server takes commands.</returns>
    public async Task StartAgainAsync()
    {
        _process = _isRedis
            ? ChildProcess.Start("redis-server", "--bind", "127.0.0.1", "--port", $"{_port}", "--save", "", "--appendonly", "no")
            : ChildProcess.StartSelf("server", $"{_port}");
        var ready = _isRedis ? "Ready to accept connections" : GarnetIsReady;
        string? line;
        do
        {
            line = await _process.StandardOutput.ReadLineAsync().WaitAsync(NodeProcess.Patience);
        }
        while (line?.Contains(ready, StringComparison.Ordinal) == false);

        if (line is null)
        {
            _process.Dispose();
            throw new InvalidOperationException("The server did not start.");
        }

        // What it writes is of no interest, but has to be read.
        _ = _process.StandardOutput.ReadToEndAsync();
    }

    /// <summary>Ends it as a crash does.</summary>
    public void Kill()
    {
        ChildProcess.Kill(_process!);
        _process!.Dispose();
        _process = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_process is not null)
        {
            Kill();
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
