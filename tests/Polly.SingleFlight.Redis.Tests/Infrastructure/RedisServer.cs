using System.Net;
using System.Net.Sockets;
using Garnet;

namespace Polly.SingleFlight.Redis.Tests.Infrastructure;

/// <summary>
/// A server with the protocol of Redis inside the process, on a port of the system's choice, for all tests of the assembly; or the one that the environment variable
/// <c>SINGLE_FLIGHT_REDIS</c> names as <c>host:port</c>.
/// </summary>
public sealed class RedisServer : IAsyncLifetime
{
    private GarnetServer? _server;

    /// <summary>Whether it is a Redis server, and not Garnet.</summary>
    public static bool IsExternal => Environment.GetEnvironmentVariable("SINGLE_FLIGHT_REDIS") is { Length: > 0 };

    public string Configuration { get; private set; } = "";

    /// <summary>A connection for looking at what is stored.</summary>
    public ConnectionMultiplexer Connection { get; private set; } = null!;

    public IDatabase Database => Connection.GetDatabase();

    public async ValueTask InitializeAsync()
    {
        Configuration = Environment.GetEnvironmentVariable("SINGLE_FLIGHT_REDIS") ?? "";
        if (Configuration.Length == 0)
        {
            (_server, var port) = StartGarnet();
            Configuration = $"127.0.0.1:{port}";
        }

        Connection = await ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        _server?.Dispose();
    }

    /// <summary>A connection of a node. Its own time-outs, of five seconds, would end the commands of a slow machine.</summary>
    public Task<ConnectionMultiplexer> ConnectAsync() =>
        ConnectionMultiplexer.ConnectAsync(Configuration + ",abortConnect=false,allowAdmin=true,connectTimeout=20000,syncTimeout=60000,asyncTimeout=60000");

    /// <summary>Starts a server of a test's own, on a port of the system's choice or on that one.</summary>
    public static (GarnetServer Server, int Port) StartGarnet(int? wanted = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = wanted ?? FreePort();
            try
            {
                var server = new GarnetServer(
                    ["--bind", "127.0.0.1", "--port", $"{port}", "--memory", "64m", "--page", "1m", "--index", "4m", "--lua", "--auth", "ACL", "-q", "--logger-level", "Error"]);
                server.Start();
                return (server, port);
            }
            catch (Exception) when (attempt < 5)
            {
                // Another process has taken the port meanwhile.
            }
        }
    }

    /// <summary>All keys of single flight, with the rest of their time in milliseconds; -1 for one that does not expire.</summary>
    public async Task<Dictionary<string, long>> KeysAsync()
    {
        var found = new Dictionary<string, long>();
        foreach (var node in Connection.GetServers())
        {
            foreach (var key in (RedisKey[])(await node.ExecuteAsync("KEYS", "*polly-sf:*"))!)
            {
                // A key may go between the two commands.
                if ((long)await Database.ExecuteAsync("PTTL", key) is var left and not -2)
                {
                    found[key.ToString()] = left;
                }
            }
        }

        return found;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
