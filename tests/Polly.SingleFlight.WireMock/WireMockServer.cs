namespace Polly.SingleFlight.WireMock;

/// <summary>
/// The WireMock server on a loopback port, with the mappings of the folder <c>wiremock</c>. HTTP/1.1, and HTTP/2 in clear text
/// for clients that speak it from the start. Stop it by disposing it; it also ends with the process that started it.
/// </summary>
public sealed class WireMockServer : IAsyncDisposable
{
    private static readonly string[] s_javaOptions =
    [
        // Quick to start and modest: it runs beside what is tested, often on two cores.
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-Xmx512m",
    ];

    private static readonly string[] s_serverOptions =
    [
        "--port", "0",
        "--bind-address", "127.0.0.1",
        "--root-dir", WireMockInstallation.Folder,
        "--disable-banner",

        // A delayed answer waits on a timer, not on a thread: thousands of requests may wait at the same time.
        "--async-response-enabled", "true",
        "--async-response-threads", "8",
        "--jetty-accept-queue-size", "1000",
    ];

    private readonly WireMockProcess _process;
    private readonly WireMockAdmin _admin;

    private WireMockServer(WireMockProcess process, WireMockAdmin admin, Uri address)
    {
        _process = process;
        _admin = admin;
        Address = address;
    }

    /// <summary>Why the server cannot be started on this machine, and what to do about it; null if it can.</summary>
    public static string? Unavailable => WireMockInstallation.FindWhatIsMissing();

    /// <summary>Where it listens. The behaviours that the mappings describe are paths below it.</summary>
    public Uri Address { get; }

    /// <summary>Starts a server and returns when it answers.</summary>
    /// <param name="cancellationToken">Ends the wait, and the server.</param>
    /// <exception cref="WireMockUnavailableException">It is <see cref="Unavailable"/>, or did not start; the message says why.</exception>
    public static async Task<WireMockServer> StartAsync(CancellationToken cancellationToken = default)
    {
        if (WireMockInstallation.FindWhatIsMissing() is { } reason)
        {
            throw new WireMockUnavailableException(reason);
        }

        var process = WireMockProcess.Start(
            WireMockInstallation.FindJava()!, [.. s_javaOptions, "-jar", WireMockInstallation.FindJar()!, .. s_serverOptions]);
        WireMockAdmin? admin = null;
        try
        {
            var address = new UriBuilder(Uri.UriSchemeHttp, "127.0.0.1", await process.GetPortAsync(cancellationToken)).Uri;
            admin = new WireMockAdmin(address);
            await admin.CheckHealthAsync(cancellationToken);
            return new WireMockServer(process, admin, address);
        }
        catch
        {
            admin?.Dispose();
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>How many such requests have arrived, by the server's own journal: also those not answered yet.</summary>
    public Task<int> CountAsync(RequestPattern pattern, CancellationToken cancellationToken = default) =>
        _admin.CountAsync(pattern, cancellationToken);

    /// <summary>Empties the journal, and sets scenarios (answers that change from call to call) back to their first answer.</summary>
    public Task ResetAsync(CancellationToken cancellationToken = default) => _admin.ResetAsync(cancellationToken);

    /// <summary>Makes every delay of the mappings so many times as long, until the server ends.</summary>
    public Task ScaleDelaysAsync(double factor, CancellationToken cancellationToken = default) =>
        _admin.ScaleDelaysAsync(factor, cancellationToken);

    /// <summary>Stops the server.</summary>
    public ValueTask DisposeAsync()
    {
        _admin.Dispose();
        return _process.DisposeAsync();
    }
}
