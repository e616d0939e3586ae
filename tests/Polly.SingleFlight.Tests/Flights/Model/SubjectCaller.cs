using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>A caller of the engine, whatever its result type.</summary>
internal abstract class SubjectCaller(int number, bool hasToken) : IDisposable
{
    public const string NumberKey = "caller";

    public int Number => number;

    public CancellationTokenSource? Source { get; } = hasToken ? new() : null;

    public CancellationToken Token => Source?.Token ?? CancellationToken.None;

    /// <summary>The flight that its wait, or its lead, belongs to.</summary>
    public abstract Flight Flight { get; }

    /// <summary>What the caller got, in the words of the model; null while it waits.</summary>
    public abstract string? Received { get; }

    /// <summary>Whether the follower's wait is claimed; false if the caller has none.</summary>
    public abstract bool IsClaimed { get; }

    public abstract int Elections { get; }

    public abstract bool IsAlone { get; }

    /// <summary>Completes when the follower is summoned and ready; null if the caller is no follower.</summary>
    public abstract Task? RunRequest { get; }

    public abstract void SettleIn();

    public abstract void Lead();

    public abstract bool Yield();

    public abstract LandingAnswer Land(Ending ending, CancellationToken other, bool isPrepared);

    public abstract void Serve(bool isShared);

    public abstract bool RunAlone();

    public abstract void Resign();

    public void Dispose() => Source?.Dispose();

    protected Exception ExceptionOf(Ending ending, CancellationToken other)
    {
        Exception exception = ending switch
        {
            Ending.Failure => new InvalidOperationException(),
            Ending.TimeOut => new TaskCanceledException("", new TimeoutException()),
            Ending.Cancellation => new OperationCanceledException(),
            Ending.CancellationOfLeader => new OperationCanceledException(Token),
            Ending.CancellationOfOther => new OperationCanceledException(other),
            Ending.LossOfLeader => new IOException(),
            _ => throw new ArgumentOutOfRangeException(nameof(ending), ending, null),
        };
        exception.Data[NumberKey] = number;
        return exception;
    }

    protected string InWords(Exception exception) => exception switch
    {
        _ when exception.Data[NumberKey] is int caller => ModelCaller.OutcomeOf(caller),
        FlightCanceledException => ModelCaller.GroupCancellation,
        OperationCanceledException canceled when Token.CanBeCanceled && canceled.CancellationToken == Token => ModelCaller.OwnCancellation,
        _ => exception.ToString(),
    };
}
