using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Polly.SingleFlight.Tests.Infrastructure;

/// <summary>What must never happen anywhere in the process: unobserved task exceptions and failed assertions.</summary>
public static class Faults
{
    private static readonly ConcurrentQueue<string> s_seen = new();

    /// <summary>Takes what was seen since the last time, so that one fault fails one test.</summary>
    public static List<string> Take()
    {
        var seen = new List<string>();
        while (s_seen.TryDequeue(out var fault))
        {
            seen.Add(fault);
        }

        return seen;
    }

    [ModuleInitializer]
    public static void Watch()
    {
        TaskScheduler.UnobservedTaskException += (_, e) => s_seen.Enqueue("unobserved: " + e.Exception);
        Trace.Listeners.Clear();
        Trace.Listeners.Add(new Listener());
    }

    private sealed class Listener : TraceListener
    {
        public override void Fail(string? message, string? detailMessage) =>
            s_seen.Enqueue($"assertion: {message} {detailMessage} {Environment.StackTrace}");

        public override void Write(string? message)
        {
        }

        public override void WriteLine(string? message)
        {
        }
    }
}
