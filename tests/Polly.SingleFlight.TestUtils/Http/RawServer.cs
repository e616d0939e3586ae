using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Polly.SingleFlight.Tests.Infrastructure.Http;

/// <summary>A TCP server on a loopback port of its choice that sends the bytes a test gives it, valid or not.</summary>
public sealed class RawServer : IAsyncDisposable
{
    public const string Called = "called";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Connection, Task> _answer;
    private readonly Task _accepting;

    /// <param name="answer">Answers one request of a connection, which is closed afterwards.</param>
    public RawServer(Func<Connection, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _accepting = AcceptAsync();
    }

    /// <summary>Answers every request with the same bytes.</summary>
    public RawServer(string response)
        : this(connection => connection.WriteAsync(response))
    {
    }

    public Uri Address { get; }

    public Probe Probe { get; } = new();

    public int Calls => Probe[Called];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var connection = new Connection(client, _stop.Token);
                if (await connection.ReadRequestAsync())
                {
                    Probe.Hit(Called);
                    await _answer(connection);
                    connection.EndOfData();
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException)
            {
                // The client closed the connection, or the test is over.
            }
        }
    }

    public sealed class Connection(TcpClient client, CancellationToken token)
    {
        private readonly NetworkStream _stream = client.GetStream();
        private readonly StringBuilder _head = new();

        /// <summary>Gets how many bytes the client's side has taken so far.</summary>
        public long BytesWritten { get; private set; }

        /// <summary>Gets the request line and the headers.</summary>
        public string Head => _head.ToString();

        public CancellationToken Stopped => token;

        public Task WriteAsync(string text) => WriteAsync(Encoding.Latin1.GetBytes(text));

        public async Task WriteAsync(ReadOnlyMemory<byte> bytes)
        {
            await _stream.WriteAsync(bytes, token);
            BytesWritten += bytes.Length;
        }

        /// <summary>Resets the connection, as a crash would.</summary>
        public void Cut()
        {
            client.Client.LingerState = new LingerOption(enable: true, 0);
            client.Client.Close();
        }

        /// <summary>Waits until the client closes the connection.</summary>
        public async Task ClosedByClientAsync()
        {
            var buffer = new byte[256];
            while (await _stream.ReadAsync(buffer, token) > 0)
            {
            }
        }

        public void EndOfData()
        {
            if (client.Connected)
            {
                client.Client.Shutdown(SocketShutdown.Send);
            }
        }

        /// <summary>Reads the head and, if it has a length, the body of a request; false if the client never sent one.</summary>
        public async Task<bool> ReadRequestAsync()
        {
            var one = new byte[1];
            while (!_head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                if (await _stream.ReadAsync(one, token) == 0)
                {
                    return false;
                }

                _head.Append((char)one[0]);
            }

            const string Length = "Content-Length: ";
            var line = Head.Split("\r\n").FirstOrDefault(line => line.StartsWith(Length, StringComparison.OrdinalIgnoreCase));
            await _stream.ReadExactlyAsync(new byte[line is null ? 0 : int.Parse(line[Length.Length..], CultureInfo.InvariantCulture)], token);
            return true;
        }
    }
}
