using System.Runtime.InteropServices;

namespace HttpClientDemo;

/// <summary>Turns Ctrl+C and a polite kill into a cancellation, so that the demo ends by itself.</summary>
internal sealed class StopSignal : IDisposable
{
    // Never disposed: a signal may be arriving just then, and a source without a timer holds nothing.
    private readonly CancellationTokenSource _stop = new();

    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    public StopSignal()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, exitCode: 130));
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, exitCode: 143));
    }

    public CancellationToken Token => _stop.Token;

    /// <summary>What a shell expects of a process that ended because of the signal: 128 and the signal's number.</summary>
    public int ExitCode { get; private set; }

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
    }

    private void Stop(PosixSignalContext context, int exitCode)
    {
        context.Cancel = true;
        ExitCode = exitCode;
        _stop.Cancel();
    }
}
