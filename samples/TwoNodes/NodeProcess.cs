using System.Diagnostics;
using System.Text.Json;

namespace TwoNodes;

/// <summary>A node, as the tour sees it: a process that is told what to do in lines, and answers in lines.</summary>
internal sealed class NodeProcess : IDisposable
{
    private readonly Process _process;

    private NodeProcess(string name, Process process) => (Name, _process) = (name, process);

    public string Name { get; }

    /// <summary>Starts this program once more, as a node.</summary>
    public static NodeProcess Start(NodeArguments arguments)
    {
        var program = Environment.ProcessPath!;
        var isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        var start = new ProcessStartInfo(program, isHost ? [typeof(NodeProcess).Assembly.Location, .. arguments.ToCommandLine()] : arguments.ToCommandLine())
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        return new NodeProcess(arguments.Name, Process.Start(start)!);
    }

    /// <summary>Waits until the node can be asked.</summary>
    public Task IsReadyAsync(CancellationToken stop) => ExpectAsync("ready", stop);

    /// <summary>Has many callers ask for regions at the same time.</summary>
    /// <returns>When they have asked, what they will have got; null if the node was killed meanwhile.</returns>
    public async Task<Task<RegionReport[]?>> AskAsync(Sharing sharing, int callers, IEnumerable<Region> regions, CancellationToken stop)
    {
        await _process.StandardInput.WriteLineAsync($"ask {sharing} {callers} {string.Join(',', regions.Select(static region => region.Name))}");
        await ExpectAsync("asked", stop);
        return ReadAsync();

        async Task<RegionReport[]?> ReadAsync() =>
            await _process.StandardOutput.ReadLineAsync(stop) is { } line ? JsonSerializer.Deserialize<RegionReport[]>(line) : null;
    }

    /// <summary>Waits until the node has the server again.</summary>
    public async Task ConnectAsync(CancellationToken stop)
    {
        await _process.StandardInput.WriteLineAsync("connect");
        await ExpectAsync("connected", stop);
    }

    /// <summary>Ends the process without any notice, as a crash does.</summary>
    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private async Task ExpectAsync(string expected, CancellationToken stop)
    {
        var line = await _process.StandardOutput.ReadLineAsync(stop);
        if (line != expected)
        {
            throw new InvalidOperationException($"{Name} says '{line}' instead of '{expected}'.");
        }
    }
}
