using System.Diagnostics;
using System.Globalization;

namespace Polly.SingleFlight.WireMock;

/// <summary>The server's process: says on which port it listens, and ends with this process, whichever way that ends.</summary>
internal sealed class WireMockProcess : IAsyncDisposable
{
    /// <summary>
    /// A shell that becomes Java and leaves a child behind, which reads what only this process can write. When that ends, because
    /// it was closed or because this process is gone, even killed, the child asks Java to stop. (Not on Windows, which has no
    /// such shell: there a killed process leaves the server behind.) Ctrl+C is left to this process, which may want to count to the end.
    /// </summary>
    private const string EndWithParent = """
        trap '' INT
        exec 3<&0
        { cat <&3; kill $$; } >/dev/null 2>&1 &
        exec "$0" "$@" 3<&- </dev/null
        """;

    private const string PortPrefix = "port:";

    private static readonly TimeSpan s_startLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_stopLimit = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly Task _output;
    private readonly LastLines _lines = new(50);
    private readonly TaskCompletionSource<int?> _port = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private WireMockProcess(Process process)
    {
        _process = process;

        // Read for as long as it runs, or it would stop at a full pipe.
        _output = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
        _ = EndWithoutPortAsync();
    }

    public static WireMockProcess Start(string java, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string[] command = OperatingSystem.IsWindows() ? [java] : ["/bin/sh", "-c", EndWithParent, java];
        start.FileName = command[0];
        foreach (var argument in command.Skip(1).Concat(arguments))
        {
            start.ArgumentList.Add(argument);
        }

        return new WireMockProcess(Process.Start(start)!);
    }

    /// <summary>Completes with the port when the server listens.</summary>
    /// <exception cref="WireMockUnavailableException">It did not start; the message holds what it printed.</exception>
    public async Task<int> GetPortAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _port.Task.WaitAsync(s_startLimit, cancellationToken) ?? throw NotStarted("ended");
        }
        catch (TimeoutException)
        {
            throw NotStarted($"did not listen within {s_startLimit}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (OperatingSystem.IsWindows())
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(s_stopLimit);
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        await _output;
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            _lines.Add(line);
            if (line.StartsWith(PortPrefix, StringComparison.Ordinal))
            {
                _port.TrySetResult(int.Parse(line.AsSpan(PortPrefix.Length), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture));
            }
        }
    }

    private async Task EndWithoutPortAsync()
    {
        await _output;
        _port.TrySetResult(null);
    }

    private WireMockUnavailableException NotStarted(string how) =>
        new($"WireMock {how}. It printed:{Environment.NewLine}{_lines}");
}
