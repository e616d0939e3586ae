using Garnet;

namespace Polly.SingleFlight.Redis.Nodes;

/// <summary>Garnet as a process that can be killed. Ends with its standard input.</summary>
internal static class GarnetProgram
{
    public static void Run(int port)
    {
        using var server = new GarnetServer(
            ["--bind", "127.0.0.1", "--port", $"{port}", "--memory", "64m", "--page", "1m", "--index", "4m", "--lua", "--auth", "ACL", "-q", "--logger-level", "Error"]);
        server.Start();
        Console.WriteLine(ServerProcess.GarnetIsReady);
        while (Console.ReadLine() is not null)
        {
            // Nothing is to be said to it.
        }
    }
}
