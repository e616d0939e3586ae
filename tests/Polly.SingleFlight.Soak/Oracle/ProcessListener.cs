using System.Diagnostics;

namespace Polly.SingleFlight.Soak;

/// <summary>Makes violations of what otherwise concerns the whole process: failed assertions and unobserved exceptions.</summary>
internal sealed class ProcessListener : TraceListener
{
    private readonly Violations _violations;
    private readonly TraceListener[] _others;

    public ProcessListener(Violations violations)
    {
        _violations = violations;
        Collect();
        _others = [.. Trace.Listeners.OfType<DefaultTraceListener>()];
        foreach (var other in _others)
        {
            Trace.Listeners.Remove(other);
        }

        Trace.Listeners.Add(this);
        TaskScheduler.UnobservedTaskException += OnUnobserved;
    }

    /// <summary>Has the runtime find what nobody observed.</summary>
    public static void Collect()
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    public override void Fail(string? message, string? detailMessage) =>
        _violations.Add($"Debug.Assert {message}", $"{detailMessage}\n{new StackTrace(1)}");

    public override void Write(string? message)
    {
    }

    public override void WriteLine(string? message)
    {
    }

    protected override void Dispose(bool disposing)
    {
        TaskScheduler.UnobservedTaskException -= OnUnobserved;
        Trace.Listeners.Remove(this);
        Trace.Listeners.AddRange(_others);
        base.Dispose(disposing);
    }

    private void OnUnobserved(object? sender, UnobservedTaskExceptionEventArgs e)
    {
        e.SetObserved();
        _violations.Add("An unobserved task exception", e.Exception.ToString());
    }
}
