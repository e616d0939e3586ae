using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Polly.SingleFlight.Redis.Tests.Infrastructure;

/// <summary>A connection to a server that a test can hold, cut and let through again.</summary>
internal sealed class Proxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, Socket> _pairs = new();
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentBag<ConnectionMultiplexer> _connections = [];
    private readonly EndPoint _target;
    private volatile Gate? _hold;
    private volatile bool _refuses;

    public Proxy(string target)
    {
        _target = IPEndPoint.Parse(target.Split(',')[0]);
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>What nodes connect to.</summary>
    public string Address => _listener.LocalEndpoint.ToString()!;

    /// <summary>Nothing comes through any more, and nothing is refused.</summary>
    public void Hang() => _hold = new Gate();

    /// <summary>What was held comes through.</summary>
    public void Continue()
    {
        var hold = _hold;
        _hold = null;
        hold?.Open();
    }

    /// <summary>Ends all connections.</summary>
    public void Cut(bool andRefuse = false)
    {
        _refuses = andRefuse;
        foreach (var (client, server) in _pairs)
        {
            client.Close(0);
            server.Close(0);
        }
    }

    /// <summary>Lets new connections through again.</summary>
    public void Accept() => _refuses = false;

    /// <summary>A connection through it, which ends with it: what it holds comes through first, for a connection waits for its answers when it is disposed.</summary>
    public async Task<ConnectionMultiplexer> ConnectAsync(string more = "")
    {
        var connection = await ConnectionMultiplexer.ConnectAsync($"{Address},abortConnect=false,connectTimeout=2000,connectRetry=1,syncTimeout=60000,asyncTimeout=60000{more}");
        _connections.Add(connection);
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        Continue();
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        await _end.CancelAsync();
        _listener.Stop();
        Cut(andRefuse: true);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_end.Token);
                if (_refuses)
                {
                    client.Close(0);
                    continue;
                }

                var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await server.ConnectAsync(_target, _end.Token);
                client.NoDelay = server.NoDelay = true;
                _pairs[client] = server;
                _ = PumpAsync(client, server, client);
                _ = PumpAsync(server, client, client);
            }
        }
        catch (Exception)
        {
            // The end of the test.
        }
    }

    private async Task PumpAsync(Socket from, Socket to, Socket client)
    {
        var buffer = new byte[16384];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer, _end.Token)) > 0)
            {
                if (_hold is { } hold)
                {
                    await hold.Opened;
                }

                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _end.Token);
                }
            }
        }
        catch (Exception)
        {
            // One of both has ended.
        }

        if (_pairs.TryGetValue(client, out var server) && _pairs.TryRemove(new(client, server)))
        {
            client.Close(0);
            server.Close(0);
        }
    }
}
