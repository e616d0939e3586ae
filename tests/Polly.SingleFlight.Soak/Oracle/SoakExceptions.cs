namespace Polly.SingleFlight.Soak;

/// <summary>Why a callback failed on purpose.</summary>
internal enum Fault
{
    None,
    Thrown,
    Returned,

    /// <summary>A cancellation of the callback's own, for everybody.</summary>
    InnerCancellation,

    /// <summary>The callback used its caller's token, which fired (S8).</summary>
    LeaderToken,

    /// <summary>The callback obeyed the token it was given.</summary>
    FlightToken,

    /// <summary>The copy for one follower failed.</summary>
    Cloner,
}

/// <summary>An exception that says which execution it comes from.</summary>
internal interface ISoakFault
{
    Execution Execution { get; }

    Fault Fault { get; }
}

internal sealed class SoakException(Execution execution, Fault fault, Exception? inner = null) : Exception(null, inner), ISoakFault
{
    public Execution Execution { get; } = execution;

    public Fault Fault { get; } = fault;
}

internal sealed class SoakCanceledException(Execution execution, Fault fault, CancellationToken token)
    : OperationCanceledException(token), ISoakFault
{
    public Execution Execution { get; } = execution;

    public Fault Fault { get; } = fault;
}

/// <summary>Thrown by an event callback on the context of this call.</summary>
internal sealed class SoakEventException(Call call) : Exception
{
    public Call Call { get; } = call;
}
