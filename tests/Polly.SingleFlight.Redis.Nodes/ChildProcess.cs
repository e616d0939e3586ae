using System.Diagnostics;
using System.Globalization;

namespace Polly.SingleFlight.Redis.Nodes;

/// <summary>Processes that tests start.</summary>
internal static class ChildProcess
{
    /// <summary>Starts this program, wherever it was copied to.</summary>
    public static Process StartSelf(params string[] arguments) =>
        Start(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet", ["exec", typeof(ChildProcess).Assembly.Location, .. arguments]);

    public static Process Start(string program, params string[] arguments) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        UseShellExecute = false,
    })!;

    /// <summary>Ends a process as a crash does, and waits for that.</summary>
    public static void Kill(Process process)
    {
        process.Kill();
        process.WaitForExit();
    }

    public static void Signal(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        if (kill.ExitCode != 0)
        {
            throw new InvalidOperationException($"kill -{signal} ended with {kill.ExitCode}.");
        }
    }
}
